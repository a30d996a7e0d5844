import { HpackDecoder } from '../../../../src/grpc/hpack/decoder.ts';

/** The fields of one block after the other, as one connection reads them. */
export function createBlockReader(): (block: Uint8Array) => [string, string][] {
  const decoder = new HpackDecoder();
  return (block) => {
    const fields: [string, string][] = [];
    // Behind other bytes: a block lies somewhere in what was received.
    const bytes = Buffer.concat([Buffer.from('before'), block, Buffer.from('behind')]);
    decoder.decode(bytes, 6, 6 + block.length, { field: ({ name, value }) => void fields.push([name, value]) });
    return fields;
  };
}
