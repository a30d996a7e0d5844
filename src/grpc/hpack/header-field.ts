/** What a field of a request means to a gRPC server; of `other` only the form counts. */
export type FieldRole =
  | 'method'
  | 'scheme'
  | 'authority'
  | 'path'
  | 'content-type'
  | 'content-length'
  | 'grpc-timeout'
  | 'grpc-encoding'
  | 'other';

/** One field of a request, judged once however often the peer refers to it. */
export interface HeaderField {
  /** Bytes as Latin-1. */
  readonly name: string;
  readonly value: string;
  readonly role: FieldRole;
  /** No request may hold it (RFC 9113 sections 8.2 and 8.3). */
  readonly isMalformed: boolean;
  /** What it counts for in a table and in a list (RFC 7541 section 4.1), bytes. */
  readonly size: number;
}

const roles: ReadonlyMap<string, FieldRole> = new Map([
  [':method', 'method'],
  [':scheme', 'scheme'],
  [':authority', 'authority'],
  [':path', 'path'],
  ['content-type', 'content-type'],
  ['content-length', 'content-length'],
  ['grpc-timeout', 'grpc-timeout'],
  ['grpc-encoding', 'grpc-encoding'],
]);

/** They belong to HTTP/1.1 (section 8.2.2). */
const connectionFields: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const entryOverhead = 32;
/** A token without upper-case letters (section 8.2.1). */
const fieldName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/u;
// oxlint-disable-next-line no-control-regex -- NUL, CR and LF are what section 8.2.1 forbids within a value
const badValue = /[\0\r\n]|^[ \t]|[ \t]$/u;

export function toHeaderField(name: string, value: string): HeaderField {
  const role = roles.get(name) ?? 'other';
  return {
    name,
    value,
    role,
    isMalformed: isMalformed(name, value, role),
    size: name.length + value.length + entryOverhead,
  };
}

function isMalformed(name: string, value: string, role: FieldRole): boolean {
  if (badValue.test(value)) return true;
  if (role !== 'other') return false;
  // Pseudo-header fields that requests do not have are among what is no token.
  if (!fieldName.test(name) || connectionFields.has(name)) return true;
  return name === 'te' && value !== 'trailers';
}
