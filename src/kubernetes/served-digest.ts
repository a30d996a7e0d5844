import { sha256Head } from '../std/sha256.ts';

/** What a replica has taken in and serves of one document. */
export interface ServedDocument {
  readonly uid: string;
  /** Of the newest version that it has taken in. */
  readonly generation: number;
  /** Of the version that serves; undefined where none does and its requests are denied. */
  readonly served: number | undefined;
}

/** What a replica says of all its documents: short enough for an annotation, whatever their number. */
export interface DigestTexts {
  /** Which versions it has taken in, 64 sums. */
  readonly observed: string;
  /** Which versions serve, 64 sums. */
  readonly served: string;
  /** The documents of which the newest version does not serve, with the generation that does (0: none), JSON; at most 100 of them. */
  readonly exceptions: string;
}

/** Sums over the documents of a replica, kept up with every change. */
export interface ServedDigest {
  set(key: string, document: ServedDocument | undefined): void;
  get(key: string): ServedDocument | undefined;
  /** The documents that are summed up in one of these places. */
  keysIn(places: ReadonlySet<number>): readonly string[];
  texts(): DigestTexts;
}

/** How another replica stands to us about one document. */
export type Agreement =
  /** It serves what we serve. */
  | 'agrees'
  /** It has not taken in what we have (or we have not taken in what it has). */
  | 'pending'
  /** It has taken in the same and serves another version, or denies: it began while the newest version was invalid, or we did. */
  | 'disagrees';

const buckets = 64;
const maxExceptions = 100;
/** The longest names, and something for the numbers. */
const maxExceptionsLength = maxExceptions * 400;

export function createServedDigest(): ServedDigest {
  const documents = new Map<string, ServedDocument>();
  const exceptions = new Map<string, number>();
  const observed = new BigUint64Array(buckets);
  const served = new BigUint64Array(buckets);
  let texts: DigestTexts | undefined;
  const flip = (key: string, document: ServedDocument): void => {
    const bucket = bucketOf(key);
    // Exclusive or: adding and taking away are the same, and the order is nothing.
    observed[bucket] = (observed[bucket] ?? 0n) ^ hashOf(key, document.uid, document.generation);
    served[bucket] = (served[bucket] ?? 0n) ^ hashOf(key, document.uid, document.generation, document.served ?? 0);
  };
  return {
    set: (key, document) => {
      texts = undefined;
      const known = documents.get(key);
      if (known !== undefined) flip(key, known);
      documents.delete(key);
      exceptions.delete(key);
      if (document === undefined) return;
      flip(key, document);
      documents.set(key, document);
      if (document.served !== document.generation) exceptions.set(key, document.served ?? 0);
    },
    get: (key) => documents.get(key),
    keysIn: (places) => [...documents.keys()].filter((key) => places.has(bucketOf(key))),
    texts: () => {
      texts ??= {
        observed: toText(observed),
        served: toText(served),
        exceptions: JSON.stringify(Object.fromEntries([...exceptions].sort(byKey).slice(0, maxExceptions))),
      };
      return texts;
    },
  };
}

/** Compares what we serve of a document with what another replica says. */
export function compareServed(key: string, ours: ServedDocument, own: DigestTexts, other: DigestTexts): Agreement {
  const bucket = bucketOf(key);
  if (sumOf(own.served, bucket) === sumOf(other.served, bucket)) return 'agrees';
  if (sumOf(own.observed, bucket) !== sumOf(other.observed, bucket)) return 'pending';
  return servedBy(other, key, ours.generation) === (ours.served ?? 0) ? 'agrees' : 'disagrees';
}

/** The places in which a replica says other than it said before. */
export function changedPlaces(before: DigestTexts, now: DigestTexts): ReadonlySet<number> {
  const places = Array.from({ length: buckets }, (_place, bucket) => bucket);
  const isOther = (bucket: number): boolean =>
    sumOf(before.served, bucket) !== sumOf(now.served, bucket) ||
    sumOf(before.observed, bucket) !== sumOf(now.observed, bucket);
  return new Set(before.exceptions === now.exceptions ? places.filter(isOther) : places);
}

/** The generation that a replica says it serves of a document that it has taken in; 0: none. */
function servedBy({ exceptions }: DigestTexts, key: string, generation: number): number | undefined {
  let said: unknown;
  // It is asked for every document: what is longer than any replica writes is not read.
  if (exceptions.length > maxExceptionsLength) return undefined;
  try {
    said = JSON.parse(exceptions);
  } catch {
    return undefined;
  }
  if (typeof said !== 'object' || said === null) return undefined;
  const served: unknown = Object.hasOwn(said, key) ? Reflect.get(said, key) : undefined;
  if (typeof served === 'number') return served;
  // Of a list that is full nobody knows what else would be on it.
  return Object.keys(said).length >= maxExceptions ? undefined : generation;
}

function bucketOf(key: string): number {
  return Number(hashOf(key) % BigInt(buckets));
}

function hashOf(...parts: readonly (string | number)[]): bigint {
  return sha256Head(parts.join('\0'));
}

function toText(sums: BigUint64Array): string {
  return Array.from(sums, (sum) => sum.toString(16).padStart(16, '0')).join('');
}

function sumOf(text: string, bucket: number): string {
  return text.slice(bucket * 16, bucket * 16 + 16);
}

function byKey([a]: readonly [string, number], [b]: readonly [string, number]): number {
  return a < b ? -1 : 1;
}
