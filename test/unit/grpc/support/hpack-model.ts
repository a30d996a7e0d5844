import { codeLengths } from '../../../../src/grpc/hpack/huffman-code.ts';
import { staticTable } from '../../../../src/grpc/hpack/static-table.ts';

export type Field = readonly [name: string, value: string];

/** How a field is put, where it can be put so. */
export interface FieldForm {
  readonly form: 'indexed' | 'incremental' | 'plain' | 'never';
  /** The name by its index, where there is one. */
  readonly isNameIndexed: boolean;
  readonly isHuffman: boolean;
}

export const plainForm: FieldForm = { form: 'plain', isNameIndexed: true, isHuffman: false };

/** RFC 7541 as it is written, without a thought for speed: both sides of a connection, each with its table. */
export interface HpackModel {
  /** The dynamic table, the newest first. */
  readonly table: readonly Field[];
  /** Puts a field, and its table follows. */
  write(field: Field, form: FieldForm): Buffer;
  /** Says another size for the table. */
  resize(bytes: number): Buffer;
  /** The fields of a block; undefined where it is none, and then nothing after it means anything. */
  read(block: Uint8Array): Field[] | undefined;
}

const known: readonly Field[] = staticTable.map(({ name, value }) => [name, value]);
const mostBytes = 4096;

export function createHpackModel(): HpackModel {
  let table: Field[] = [];
  let limit = mostBytes;

  function evict(): void {
    while (table.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0) > limit) table.pop();
  }
  function add(field: Field): void {
    table = [field, ...table];
    evict();
  }
  const at = (index: number): Field | undefined => [...known, ...table][index - 1];
  const indexOf = (fits: (field: Field) => boolean): number => [...known, ...table].findIndex(fits) + 1;

  return {
    get table() {
      return table;
    },
    write(field, { form, isNameIndexed, isHuffman }) {
      const [name, value] = field;
      const whole = indexOf((one) => one[0] === name && one[1] === value);
      if (form === 'indexed' && whole > 0) return integer(0x80, 7, whole);
      const named = isNameIndexed ? indexOf((one) => one[0] === name) : 0;
      const [pattern, bits] = (
        { indexed: [0x40, 6], incremental: [0x40, 6], plain: [0, 4], never: [0x10, 4] } as const
      )[form];
      const start = integer(pattern, bits, named);
      if (pattern === 0x40) add(field);
      return Buffer.concat([start, ...(named > 0 ? [] : [text(name, isHuffman)]), text(value, isHuffman)]);
    },
    resize(bytes) {
      limit = bytes;
      evict();
      return integer(0x20, 5, bytes);
    },
    read(block) {
      try {
        return readBlock(new Reader(block), {
          at,
          add,
          resize(bytes) {
            if (bytes > mostBytes) throw new RangeError('a table size');
            limit = bytes;
            evict();
          },
        });
      } catch (error) {
        if (error instanceof RangeError) return undefined;
        throw error;
      }
    },
  };
}

interface Table {
  at(index: number): Field | undefined;
  add(field: Field): void;
  resize(bytes: number): void;
}

function readBlock(reader: Reader, table: Table): Field[] {
  const fields: Field[] = [];
  while (!reader.isEmpty) {
    const first = reader.peek();
    if (first >= 0x80) {
      fields.push(present(table.at(reader.integer(7))));
      continue;
    }
    if (first >= 0x20 && first < 0x40) {
      if (fields.length > 0) throw new RangeError('a table size behind a field');
      table.resize(reader.integer(5));
      continue;
    }
    const index = reader.integer(first >= 0x40 ? 6 : 4);
    const name = index === 0 ? reader.text() : present(table.at(index))[0];
    const field = [name, reader.text()] as const;
    if (first >= 0x40) table.add(field);
    fields.push(field);
  }
  return fields;
}

function present(field: Field | undefined): Field {
  if (field === undefined) throw new RangeError('an index');
  return field;
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isEmpty(): boolean {
    return this.#at >= this.#bytes.length;
  }

  peek(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError('the end');
    return byte;
  }

  /** Of four more bytes at most: a longer one is an error here, as section 5.1 allows. */
  integer(bits: number): number {
    const mask = 2 ** bits - 1;
    let value = this.peek() & mask;
    this.#at++;
    if (value < mask) return value;
    for (let power = 0; power < 4; power++) {
      const byte = this.peek();
      this.#at++;
      value += (byte % 128) * 128 ** power;
      if (byte < 128) return value;
    }
    throw new RangeError('an integer');
  }

  text(): string {
    const isHuffman = this.peek() >= 0x80;
    const length = this.integer(7);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('a string');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return isHuffman ? fromHuffman(bytes) : Buffer.from(bytes).toString('latin1');
  }
}

function integer(pattern: number, bits: number, value: number): Buffer {
  const mask = 2 ** bits - 1;
  if (value < mask) return Buffer.of(pattern + value);
  const bytes = [pattern + mask];
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 + (rest % 128));
  return Buffer.from([...bytes, rest]);
}

function text(value: string, isHuffman: boolean): Buffer {
  const bytes = isHuffman ? toHuffman(value) : Buffer.from(value, 'latin1');
  return Buffer.concat([integer(isHuffman ? 0x80 : 0, 7, bytes.length), bytes]);
}

/** The codes as texts of 0 and 1: appendix B, in the order of their lengths. */
const codes: ReadonlyMap<number, string> = (() => {
  const symbols = codeLengths.map((length, symbol) => ({ length, symbol }));
  symbols.sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0n;
  let before = symbols[0]?.length ?? 0;
  return new Map(
    symbols.map(({ length, symbol }) => {
      code <<= BigInt(length - before);
      before = length;
      return [symbol, (code++).toString(2).padStart(length, '0')];
    }),
  );
})();
const symbols: ReadonlyMap<string, number> = new Map([...codes].map(([symbol, code]) => [code, symbol]));

function toHuffman(value: string): Buffer {
  const bits = [...Buffer.from(value, 'latin1')].map((byte) => codes.get(byte) ?? '').join('');
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Buffer.from((padded.match(/.{8}/gu) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

function fromHuffman(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let value = '';
  let from = 0;
  for (let to = 1; to <= bits.length; to++) {
    const symbol = symbols.get(bits.slice(from, to));
    if (symbol === undefined) continue;
    if (symbol === 256) throw new RangeError('the end of the string');
    value += String.fromCodePoint(symbol);
    from = to;
  }
  // What is left over is the beginning of the code of the end, and less than a byte (section 5.2).
  if (!/^1{0,7}$/u.test(bits.slice(from))) throw new RangeError('padding');
  return value;
}
