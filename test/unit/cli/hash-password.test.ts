import { expect, test } from 'vitest';
import { parsePasswordHash } from '../../../src/phases/identity/basic/parse-password-hash.ts';
import { computeMatch } from '../../../src/passwords/compute-match.ts';
import { run, type CliRun } from './cli-fixtures.ts';

const hash = (stdin: string, ...args: readonly string[]): Promise<CliRun> => run(['hash-password', ...args], { stdin });

test.each([[], ['--type', 'bcrypt'], ['--type', 'argon2id'], ['--type', 'scrypt']])(
  '%s %s prints a hash that lets the password in, is not weak and is another one each time',
  async (...args) => {
    const { exitCode, stdout } = await hash('correct horse\n', ...args);
    const parsed = parsePasswordHash(stdout.trimEnd());
    expect([exitCode, parsed]).toEqual([0, { hash: expect.anything(), weak: undefined }]);
    if ('refused' in parsed) return;
    expect([computeMatch(parsed.hash, 'correct horse'), computeMatch(parsed.hash, 'correct house')]).toEqual([
      true,
      false,
    ]);
    expect((await hash('correct horse\n', ...args)).stdout).not.toBe(stdout);
  },
);

test.each([
  ['', [], 'empty'],
  ['two\nlines\n', [], 'control character'],
  ['x'.repeat(1025), [], 'longer than 1024 bytes'],
  ['x'.repeat(73), ['--type', 'bcrypt'], '72 bytes'],
  ['a', ['--type', 'md5'], 'bcrypt'],
])('%j with %j is a mistake, and nothing of it is printed', async (stdin, args, why) => {
  const ran = await hash(stdin, ...args);
  expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([2, '', expect.stringContaining(why)]);
  if (stdin.length > 20) expect(ran.stderr).not.toContain(stdin.slice(0, 20));
});
