/** The header blocks of a call (HPACK, RFC 7541), as a proxy sends them: in full once a connection, from then on by their places in its table. */
export interface CallHeaders {
  readonly first: Buffer;
  readonly later: Buffer;
}

/** `:method POST` and `:scheme http` of the static table (RFC 7541 appendix A). */
const staticFields = [0x83, 0x86];
/** Literal with a new name, to be remembered. */
const rememberedLiteral = 0x40;
const firstDynamicIndex = 62;

/** The headers of a gRPC call of that path, as Envoy sends them. */
export function encodeCallHeaders(path: string, authority: string): CallHeaders {
  const fields = [
    [':path', path],
    [':authority', authority],
    ['te', 'trailers'],
    ['grpc-timeout', '5000m'],
    ['content-type', 'application/grpc'],
  ] as const;
  const literals = fields.map(([name, value]) =>
    Buffer.concat([Buffer.of(rememberedLiteral), text(name), text(value)]),
  );
  // What came last stands first in the table.
  const indexed = fields.map((_field, index) => 0x80 | (firstDynamicIndex + fields.length - 1 - index));
  return {
    first: Buffer.concat([Buffer.from(staticFields), ...literals]),
    later: Buffer.from([...staticFields, ...indexed]),
  };
}

/** Without Huffman coding; below 127 bytes, so that the length is one byte. */
function text(value: string): Buffer {
  if (value.length >= 127) throw new RangeError(`too long for a header of a call: ${value}`);
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value, 'latin1')]);
}
