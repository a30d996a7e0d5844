import { isAsciiIn, isUtf8In } from '../std/wire-reader.ts';
import type { RawHeader, RawHeaders } from '../core/request.ts';
import type { HeldMessage } from './decision-load.ts';

/** Numbers that are kept of a field: where its key begins and how long it is, and where its value begins and ends. */
const width = 4;
/** Added to the length of a key whose value was sent as bytes, and not as a protobuf string, which is UTF-8 or nothing. */
const sentAsBytes = 0x40000000;

/** As much as most requests need. */
const usualFields = 32;
/** Requests get their numbers out of one array after the other: to make one for each is dear, for it is memory outside of V8's. */
const slabSize = 128 * usualFields * width;
let slab = new Int32Array(0);
let slabUsed = 0;

/** What is kept of a message that was let go of. */
const nothing = Buffer.alloc(0);
const noPlaces = new Int32Array(0);

/** A field of what is handed on for every request of some clients, and can only be forged. */
const partialBody = 'x-envoy-auth-partial-body';

/**
 * The header fields of a message: where they are in it. A text is made of a field when somebody asks for it, so the bytes have to stay as they
 * are for as long as the request is decided. Where a name is not plain (lower-case ASCII), it is made at once.
 *
 * A class for its speed: one array of numbers and no closure a request.
 */
export class HeaderFields implements RawHeaders, HeldMessage {
  length = 0;
  isLetGo = false;
  readonly underscored: string[] = [];
  #bytes: Buffer;
  #places: Int32Array;
  /** Where our numbers begin in the array. */
  #base: number;
  #room = usualFields;
  /** The value that was made last was ASCII, and so is text: credentials are long, and whoever takes one asks both. */
  #asciiPlace = -1;
  /** Names that are not as they stand in the message. */
  #oddNames: Map<number, string> | undefined;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    if (slabUsed === slab.length) {
      slab = new Int32Array(slabSize);
      slabUsed = 0;
    }
    this.#places = slab;
    this.#base = slabUsed;
    slabUsed += usualFields * width;
  }

  /** Takes a field, unless it is none: pseudo headers, and what a client can only have forged. */
  add(keyStart: number, keyEnd: number, valueStart: number, valueEnd: number, isRaw: boolean): void {
    const bytes = this.#bytes;
    if (keyEnd > keyStart && bytes[keyStart] === 0x3a) return;
    let isPlain = true;
    let hasUnderscore = false;
    for (let at = keyStart; at < keyEnd; at++) {
      const c = bytes[at] ?? 0;
      if (c >= 0x80 || (c >= 0x41 && c <= 0x5a)) isPlain = false;
      else if (c === 0x5f) hasUnderscore = true;
    }
    if (isPlain && keyEnd - keyStart === partialBody.length && this.#isAt(keyStart, partialBody)) return;
    const place = this.length;
    if (!isPlain) {
      const name = bytes.toString('utf8', keyStart, keyEnd).toLowerCase();
      if (name === partialBody) return;
      (this.#oddNames ??= new Map()).set(place, name);
    }
    if (place === this.#room) this.#grow();
    const at = this.#base + place * width;
    this.#places[at] = keyStart;
    this.#places[at + 1] = keyEnd - keyStart + (isRaw ? sentAsBytes : 0);
    this.#places[at + 2] = valueStart;
    this.#places[at + 3] = valueEnd;
    this.length = place + 1;
    if (hasUnderscore) this.underscored.push(this.#nameAt(place));
  }

  #grow(): void {
    const larger = new Int32Array(this.#room * 2 * width);
    larger.set(this.#places.subarray(this.#base, this.#base + this.length * width));
    this.#places = larger;
    this.#base = 0;
    this.#room *= 2;
  }

  get textBytes(): number {
    let bytes = 0;
    for (let at = this.#base, end = this.#base + this.length * width; at < end; at += width) {
      const keyLength = (this.#places[at + 1] ?? 0) & ~sentAsBytes;
      bytes += keyLength + (this.#places[at + 3] ?? 0) - (this.#places[at + 2] ?? 0);
    }
    return bytes;
  }

  release(): void {
    this.isLetGo = true;
    this.length = 0;
    this.underscored.length = 0;
    this.#bytes = nothing;
    this.#places = noPlaces;
    this.#base = 0;
    this.#room = 0;
    this.#asciiPlace = -1;
    this.#oddNames = undefined;
  }

  find(name: string, from: number): number {
    const places = this.#places;
    const { length } = name;
    for (let place = from; place < this.length; place++) {
      const at = this.#base + place * width;
      const start = places[at] ?? 0;
      if (this.#oddNames?.has(place) === true) {
        if (this.#oddNames.get(place) === name) return place;
      } else if (((places[at + 1] ?? 0) & ~sentAsBytes) === length && this.#isAt(start, name)) return place;
    }
    return -1;
  }

  #isAt(start: number, name: string): boolean {
    const bytes = this.#bytes;
    for (let i = name.length - 1; i >= 0; i--) if (bytes[start + i] !== name.charCodeAt(i)) return false;
    return true;
  }

  valueAt(place: number): string {
    const at = this.#base + place * width;
    const start = this.#places[at + 2] ?? 0;
    const end = this.#places[at + 3] ?? 0;
    if (!isAsciiIn(this.#bytes, start, end)) return this.#bytes.toString('utf8', start, end);
    this.#asciiPlace = place;
    return this.#bytes.toString('latin1', start, end);
  }

  /** What stands for bytes that are not UTF-8 may also have been sent as such: that it was cannot be seen in a text. */
  isTextAt(place: number): boolean {
    if (place === this.#asciiPlace) return true;
    const at = this.#base + place * width;
    const start = this.#places[at + 2] ?? 0;
    const end = this.#places[at + 3] ?? 0;
    if (isAsciiIn(this.#bytes, start, end)) return true;
    if (((this.#places[at + 1] ?? 0) & sentAsBytes) !== 0) return isUtf8In(this.#bytes, start, end);
    return !this.#bytes.toString('utf8', start, end).includes('\uFFFD');
  }

  *[Symbol.iterator](): Generator<RawHeader> {
    for (let place = 0; place < this.length; place++) {
      yield { name: this.#nameAt(place), value: this.valueAt(place), isText: this.isTextAt(place) };
    }
  }

  #nameAt(place: number): string {
    const at = this.#base + place * width;
    const start = this.#places[at] ?? 0;
    const end = start + ((this.#places[at + 1] ?? 0) & ~sentAsBytes);
    return this.#oddNames?.get(place) ?? this.#bytes.toString('latin1', start, end);
  }
}
