import type { Argon2Hash, PasswordHash } from '../../../core/password-hash.ts';
import { decodeSpelledBase64 } from '../../../std/base64.ts';

/** A hash, and in words how it is weaker than it should be; or why it is none that is taken. Nothing of the text is in the words. */
export type ParsedHash =
  { readonly hash: PasswordHash; readonly weak: string | undefined } | { readonly refused: string };

/** What a hash may ask for at most, so that one in a Secret cannot stall the service, and at least, so that it is no easy prey. */
const bounds = {
  bcryptCost: { most: 14, weak: 10 },
  /** KiB of memory; KiB times passes. RFC 9106 recommends 64 MiB and 3 passes where memory is scarce. */
  argon2Memory: { most: 131_072, weak: 7_168 },
  argon2Work: { most: 262_144, weak: 35_000 },
  argon2Lanes: 16,
  /** N · r · p; 128 bytes of memory for each of N · r. */
  scryptWork: { most: 2 ** 20, weak: 2 ** 17 },
  saltBytes: { least: 8, most: 64 },
  tagBytes: { least: 16, most: 64 },
} as const;

const bcrypt = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const phc =
  /^\$(argon2d|argon2i|argon2id|scrypt)\$(?:v=(\d{1,4})\$)?([a-z0-9=,]{1,60})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** The beginnings of what is refused by name. */
const known: readonly (readonly [start: RegExp, name: string])[] = [
  [/^\$apr1\$|^\$1\$|^\$md5/i, 'an MD5 hash, which is no protection'],
  [/^\{SHA\}|^\{SSHA\}/i, 'a SHA-1 hash, which is no protection'],
  [/^\$[56]\$/, 'a SHA-crypt hash'],
  [/^\$2x?\$/, 'a bcrypt hash of a faulty version'],
  [/^\$2/, 'a bcrypt hash that is not whole'],
  [/^\$(?:argon2|scrypt)/, 'an argon2 or scrypt hash that is not in the PHC form'],
];

/** Reads one hash: bcrypt ($2a$, $2b$, $2y$), or argon2 and scrypt as PHC strings. */
export function parsePasswordHash(text: string): ParsedHash {
  const cost = bcrypt.exec(text)?.[1];
  if (cost !== undefined) return parseBcrypt(text, Number(cost));
  const parts = phc.exec(text);
  if (parts !== null) return parsePhc(parts);
  const name = known.find(([start]) => start.test(text))?.[1];
  return { refused: name ?? 'neither a bcrypt, an argon2 nor a scrypt hash' };
}

function parseBcrypt(text: string, cost: number): ParsedHash {
  const { most, weak } = bounds.bcryptCost;
  if (cost < 4 || cost > most) return { refused: `a bcrypt hash whose cost is not within 4 and ${most}` };
  return { hash: { kind: 'bcrypt', text, cost }, weak: cost < weak ? `bcrypt with a cost below ${weak}` : undefined };
}

function parsePhc([, algorithm, version, list = '', saltText = '', tagText = '']: readonly (
  string | undefined
)[]): ParsedHash {
  const name = algorithm === 'scrypt' ? 'scrypt' : 'argon2';
  const salt = decodeSpelledBase64(saltText, 'unpadded');
  const tag = decodeSpelledBase64(tagText, 'unpadded');
  if (salt === undefined || !isWithin(salt.length, bounds.saltBytes))
    return { refused: `${article(name)} hash whose salt is not of 8 to 64 bytes in base64` };
  if (tag === undefined || !isWithin(tag.length, bounds.tagBytes))
    return { refused: `${article(name)} hash that is not of 16 to 64 bytes in base64` };
  if (algorithm === 'scrypt') {
    if (version !== undefined) return { refused: 'a scrypt hash with a version' };
    return parseScrypt(list, { salt, tag });
  }
  if (version !== '19') return { refused: 'an argon2 hash of another version than 19' };
  if (algorithm !== 'argon2d' && algorithm !== 'argon2i' && algorithm !== 'argon2id')
    return { refused: 'an argon2 hash of another kind' };
  return parseArgon2(algorithm, list, { salt, tag });
}

interface Bytes {
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

function parseArgon2(variant: Argon2Hash['variant'], list: string, bytes: Bytes): ParsedHash {
  const [memory, passes, lanes] = readParameters(list, ['m', 't', 'p']) ?? [];
  if (memory === undefined || passes === undefined || lanes === undefined)
    return { refused: 'an argon2 hash without m, t and p in this order' };
  const { argon2Memory, argon2Work, argon2Lanes } = bounds;
  // RFC 9106 3.1: at least eight blocks a lane.
  if (passes < 1 || lanes < 1 || lanes > argon2Lanes || memory < 8 * lanes)
    return {
      refused: `an argon2 hash with parameters that cannot be (p is 1 to ${argon2Lanes}, m at least 8 times p)`,
    };
  if (memory > argon2Memory.most || memory * passes > argon2Work.most)
    return {
      refused: `an argon2 hash that asks for too much (m is at most ${argon2Memory.most}, m times t at most ${argon2Work.most})`,
    };
  const isWeak = memory < argon2Memory.weak || memory * passes < argon2Work.weak;
  return {
    hash: { kind: 'argon2', variant, memory, passes, lanes, ...bytes },
    weak: isWeak ? 'argon2 with less than m=19456,t=2 or its like' : undefined,
  };
}

function parseScrypt(list: string, bytes: Bytes): ParsedHash {
  const [logCost, blockSize, parallelism] = readParameters(list, ['ln', 'r', 'p']) ?? [];
  if (logCost === undefined || blockSize === undefined || parallelism === undefined)
    return { refused: 'a scrypt hash without ln, r and p in this order' };
  if (logCost < 1 || blockSize < 1 || parallelism < 1)
    return { refused: 'a scrypt hash with parameters that cannot be (each is at least 1)' };
  const { most, weak } = bounds.scryptWork;
  const work = 2 ** logCost * blockSize * parallelism;
  if (work > most) return { refused: 'a scrypt hash that asks for too much (2^ln times r times p is at most 2^20)' };
  return {
    hash: { kind: 'scrypt', logCost, blockSize, parallelism, ...bytes },
    weak: work < weak ? 'scrypt with less than ln=14,r=8,p=1 or its like' : undefined,
  };
}

/** The numbers of `m=65536,t=3,p=4`; undefined where these are not exactly the names, in this order. */
function readParameters(list: string, names: readonly string[]): readonly number[] | undefined {
  const found = list.split(',').map((part) => /^([a-z]{1,2})=(0|[1-9]\d{0,8})$/.exec(part));
  if (found.length !== names.length || found.some((part, index) => part?.[1] !== names[index])) return undefined;
  return found.map((part) => Number(part?.[2]));
}

function isWithin(value: number, { least, most }: { readonly least: number; readonly most: number }): boolean {
  return value >= least && value <= most;
}

function article(name: 'argon2' | 'scrypt'): string {
  return name === 'argon2' ? 'an argon2' : 'a scrypt';
}
