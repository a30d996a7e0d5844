import { afterEach, describe, expect, test } from 'vitest';
import type { PasswordHash } from '../../../src/core/password-hash.ts';
import { createPasswordThreads, type PasswordThreads } from '../../../src/passwords/password-threads.ts';
import { bcryptHash } from '../identity/basic-fixtures.ts';

const hash: PasswordHash = { kind: 'bcrypt', text: bcryptHash, cost: 4 };
const bytes = (base64: string) => Buffer.from(base64, 'base64');
const salt = bytes('cG9ydGN1bGxpcy1zYWx0IQ==');
const argon2: PasswordHash = {
  kind: 'argon2',
  variant: 'argon2id',
  memory: 64,
  passes: 1,
  lanes: 1,
  salt,
  tag: bytes('qwRgepXvdw4rfHxMTlATsw87uo6JGewFAYSbyLMaOW0='),
};
const scrypt: PasswordHash = {
  kind: 'scrypt',
  logCost: 4,
  blockSize: 8,
  parallelism: 1,
  salt,
  tag: bytes('wgPF9+YGB0jOg1nIRI3SiQ5GHRtLwEngVTyGYDTF9Jw='),
};

let threads: PasswordThreads | undefined;
afterEach(() => threads?.close());

function begin(count: number, program?: URL) {
  const begun = createPasswordThreads({ threads: count, ...(program && { program }) });
  threads = begun;
  return {
    matches: (tried: PasswordHash, password: string) => begun.matches(tried, password),
    close: () => begun.close(),
  };
}

describe('the threads for passwords', () => {
  test('compute each kind of hash', async () => {
    const { matches } = begin(2);
    expect(
      await Promise.all([
        matches(hash, 'open sesame'),
        matches(hash, 'open sesam'),
        matches(argon2, 'pass:word'),
        matches(argon2, 'password'),
        matches(scrypt, 'correct horse'),
        matches(scrypt, 'correct horse '),
      ]),
    ).toEqual([true, false, true, false, true, false]);
  });

  test('answer each with its own where many wait for one', async () => {
    const { matches } = begin(1);
    const asked = Array.from({ length: 20 }, (_, index) => matches(argon2, index % 3 === 0 ? 'pass:word' : 'x'));
    expect(await Promise.all(asked)).toEqual(Array.from({ length: 20 }, (_, index) => index % 3 === 0));
  });

  test('tell a Failure that holds neither hash nor password where a hash cannot be computed, and go on', async () => {
    const { matches } = begin(1);
    const broken: PasswordHash = { ...scrypt, logCost: 0 };
    await expect(matches(broken, 'canary4711')).rejects.toThrow(/^a hash could not be computed: [A-Za-z]+$/);
    expect(await matches(scrypt, 'correct horse')).toBe(true);
  });

  test('that are lost fail what they computed, and others take their place', async () => {
    const program = new URL('./fragile-worker.ts', import.meta.url);
    const { matches } = begin(1, program);
    const settled = await Promise.allSettled([
      matches(hash, 'fine'),
      matches(hash, 'exit'),
      matches(hash, 'fine'),
      matches(hash, 'throw'),
      matches(hash, 'fine'),
    ]);
    expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))).toEqual([
      true,
      'Failure: a thread for passwords has ended: it stopped',
      true,
      'Failure: a thread for passwords has ended: thrown on purpose',
      true,
    ]);
  });

  test('that have ended refuse, and fail who waits', async () => {
    const { matches, close } = begin(1);
    const asked = [matches(hash, 'open sesame'), matches(hash, 'open sesame')];
    close();
    const settled = await Promise.allSettled([...asked, matches(hash, 'open sesame')]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });
});
