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
  /** Whatever its value is. */
  readonly isNameMalformed: boolean;
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

export function toHeaderField(name: string, value: string): HeaderField {
  const role = roles.get(name) ?? 'other';
  // Pseudo-header fields that requests do not have are among what is no token.
  const isNameMalformed = role === 'other' && (!fieldName.test(name) || connectionFields.has(name));
  return fieldOf(name, value, role, isNameMalformed);
}

/** Another field of the same name. The name was judged: a peer may refer in two bytes to one of thousands. */
export function withValue({ name, role, isNameMalformed }: HeaderField, value: string): HeaderField {
  return fieldOf(name, value, role, isNameMalformed);
}

function fieldOf(name: string, value: string, role: FieldRole, isNameMalformed: boolean): HeaderField {
  return {
    name,
    value,
    role,
    isMalformed: isNameMalformed || !isFieldValue(value) || (name === 'te' && value !== 'trailers'),
    isNameMalformed,
    size: name.length + value.length + entryOverhead,
  };
}

const [nul, tab, lineFeed, carriageReturn, space] = [0, 9, 10, 13, 32];

/** Section 8.2.1: no NUL, no line's end, and neither space nor tab at an end. */
function isFieldValue(value: string): boolean {
  if (isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1))) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code === nul || code === lineFeed || code === carriageReturn) return false;
  }
  return true;
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}
