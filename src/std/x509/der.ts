/** What is thrown where bytes are not the DER that is expected (X.690). It says nothing of the bytes. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/** One element: its identifier octet, and where it and its contents are. Identifiers of more than one octet are refused: X.509 has none. */
export interface DerElement {
  readonly tag: number;
  /** Of the identifier. */
  readonly from: number;
  /** Of the contents. */
  readonly start: number;
  /** Behind the contents. */
  readonly end: number;
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utf8: 0x0c,
  printable: 0x13,
  ia5: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Reads the elements of a part of some bytes, one after the other. Everything throws a DerError where it is not as asked. */
export class DerReader {
  readonly bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, { start, end }: Pick<DerElement, 'start' | 'end'> = { start: 0, end: bytes.length }) {
    this.bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** The next element, which must be of that tag where one is named. */
  read(tag?: number): DerElement {
    const from = this.#at;
    const found = this.#octet(from);
    if ((found & 0x1f) === 0x1f || (tag !== undefined && found !== tag))
      throw new DerError('an element is another one');
    const { start, length } = this.#length(from + 1);
    const end = start + length;
    if (end > this.#end) throw new DerError('an element goes beyond what is around it');
    this.#at = end;
    return { tag: found, from, start, end };
  }

  /** The next element where it is of that tag; else undefined, and nothing is read. */
  readIf(tag: number): DerElement | undefined {
    return this.isAtEnd || this.bytes[this.#at] !== tag ? undefined : this.read(tag);
  }

  /** A reader of the contents of the next element. */
  into(tag: number): DerReader {
    return new DerReader(this.bytes, this.read(tag));
  }

  intoIf(tag: number): DerReader | undefined {
    const element = this.readIf(tag);
    return element && new DerReader(this.bytes, element);
  }

  /** Throws where something is left. */
  finish(): void {
    if (!this.isAtEnd) throw new DerError('there is more than there should be');
  }

  contents({ start, end }: DerElement): Buffer {
    return this.bytes.subarray(start, end);
  }

  /** The element with its identifier and length. */
  whole({ from, end }: DerElement): Buffer {
    return this.bytes.subarray(from, end);
  }

  #octet(at: number): number {
    const octet = at < this.#end ? this.bytes[at] : undefined;
    if (octet === undefined) throw new DerError('the bytes end early');
    return octet;
  }

  /** Definite, and in its shortest form. */
  #length(at: number): { readonly start: number; readonly length: number } {
    const first = this.#octet(at);
    if (first < 0x80) return { start: at + 1, length: first };
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError('a length is of no form that DER has');
    let length = 0;
    for (let index = 1; index <= count; index++) length = length * 256 + this.#octet(at + index);
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError('a length is not in its shortest form');
    return { start: at + 1 + count, length };
  }
}

/** `1.2.840.113549`; throws for what is none. */
export function readOid(contents: Buffer): string {
  const parts: number[] = [];
  let value = 0;
  if (contents.length === 0 || contents.length > 32 || ((contents.at(-1) ?? 0) & 0x80) !== 0)
    throw new DerError('an object identifier is none');
  for (const octet of contents) {
    if (value === 0 && octet === 0x80) throw new DerError('an object identifier is not in its shortest form');
    value = value * 128 + (octet & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 128) throw new DerError('an object identifier is too large');
    if ((octet & 0x80) !== 0) continue;
    if (parts.length === 0) {
      const first = Math.min(2, Math.floor(value / 40));
      parts.push(first, value - first * 40);
    } else parts.push(value);
    value = 0;
  }
  return parts.join('.');
}

/** Of DER: one octet, all bits set or none. */
export function readBoolean(contents: Buffer): boolean {
  const [octet] = contents;
  if (contents.length !== 1 || (octet !== 0x00 && octet !== 0xff)) throw new DerError('a truth value is none');
  return octet === 0xff;
}

/** Not negative and at most 2^31: what a length or a version is. */
export function readSmallInteger(contents: Buffer): number {
  checkInteger(contents);
  if (contents.length > 4 || ((contents[0] ?? 0) & 0x80) !== 0) throw new DerError('a number is too large or negative');
  return contents.readUIntBE(0, contents.length);
}

/** The octets of an integer in hex, as they are. */
export function readIntegerHex(contents: Buffer): string {
  checkInteger(contents);
  return contents.toString('hex');
}

function checkInteger(contents: Buffer): void {
  const [first, second] = contents;
  if (first === undefined) throw new DerError('a number is empty');
  if (second === undefined) return;
  const isPadded = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);
  if (isPadded) throw new DerError('a number is not in its shortest form');
}

const utcTime = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const generalizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Milliseconds since the epoch (RFC 5280 4.1.2.5: in UTC, with seconds, without fractions). */
export function readTime(tag: number, contents: Buffer): number {
  const parts = (tag === tags.utcTime ? utcTime : generalizedTime).exec(contents.toString('latin1'));
  if (parts === null || (tag !== tags.utcTime && tag !== tags.generalizedTime)) throw new DerError('a time is none');
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map(Number);
  const fullYear = tag === tags.utcTime ? year + (year < 50 ? 2000 : 1900) : year;
  const time = new Date(0);
  time.setUTCFullYear(fullYear, month - 1, day);
  time.setUTCHours(hours, minutes, seconds);
  const isReal =
    time.getUTCMonth() === month - 1 &&
    time.getUTCDate() === day &&
    time.getUTCHours() === hours &&
    time.getUTCMinutes() === minutes &&
    time.getUTCSeconds() === seconds;
  if (!isReal) throw new DerError('a time is none that a calendar has');
  return time.getTime();
}

/** The bits of a BIT STRING whose last octet is whole: a signature. */
export function readWholeBits(contents: Buffer): Buffer {
  if (contents.length < 2 || contents[0] !== 0) throw new DerError('a string of bits is not whole');
  return contents.subarray(1);
}

/** The named bits of a BIT STRING: true where bit `n` is set. */
export function readNamedBits(contents: Buffer): (bit: number) => boolean {
  const [unused] = contents;
  if (unused === undefined || unused > 7 || contents.length > 9) throw new DerError('a string of bits is none');
  return (bit) => ((contents[1 + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0;
}
