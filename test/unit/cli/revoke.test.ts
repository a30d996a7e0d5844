import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { RevocationReport, RevokeTokens } from '../../../src/runtime/revocation-report.ts';
import { run, type CliRun } from './cli-fixtures.ts';

const file = join(mkdtempSync(join(tmpdir(), 'portcullis-revoke-')), 'admin.token');
writeFileSync(file, 'an-admin-token-1\n');
const report: RevocationReport = {
  kind: 'revoked',
  revoked: 1,
  scope: 'local',
  note: 'this process alone',
  until: '2027-01-01T00:00:00.000Z',
  warnings: [],
};
const who = ['--issuer', 'https://idp.example', '--sub', 'alice'];

async function revoke(
  args: readonly string[],
  answer: () => RevocationReport = () => report,
): Promise<CliRun & { readonly asked: readonly unknown[] }> {
  const asked: unknown[] = [];
  const revokeTokens: RevokeTokens = async (entry, options) => {
    asked.push(entry, options);
    return answer();
  };
  const done = await run(['revoke', ...args], { registry: { revokeTokens: () => Promise.resolve(revokeTokens) } });
  return { ...done, asked };
}

test('it asks the admin address with the token of the file', async () => {
  const { exitCode, stdout, asked } = await revoke([
    '--token-file',
    file,
    ...who,
    '--issued-before',
    '2026-11-21T08:30:00Z',
  ]);
  expect([exitCode, stdout]).toEqual([
    0,
    'REVOKED issuer https://idp.example, sub alice, issuedBefore 2026-11-21T08:30:00Z, until 2027-01-01T00:00:00.000Z (local: this process alone)\n',
  ]);
  expect(asked).toEqual([
    { issuer: 'https://idp.example', sub: 'alice', issuedBefore: '2026-11-21T08:30:00Z' },
    { address: '127.0.0.1:9003', token: 'an-admin-token-1', timeoutMs: 5000 },
  ]);
});

test('what may not mean what was meant is told behind it, and it is revoked all the same', async () => {
  const warned = { ...report, warnings: ['no provider of the service names this issuer'] };
  const { exitCode, stdout } = await revoke(['--token-file', file, ...who], () => warned);
  expect([exitCode, stdout]).toEqual([
    0,
    'REVOKED issuer https://idp.example, sub alice, until 2027-01-01T00:00:00.000Z (local: this process alone)\nwarning: no provider of the service names this issuer\n',
  ]);
});

test('--print-entry asks nobody and needs no token; now is this second, or the next', async () => {
  const { exitCode, stdout, asked } = await revoke([...who, '--issued-before', 'now', '--print-entry']);
  const printed = JSON.parse(stdout) as { readonly issuedBefore: string };
  const ahead = Date.parse(printed.issuedBefore) - Date.now();
  expect([exitCode, asked, Object.keys(printed), ahead > -2000 && ahead <= 1000]).toEqual([
    0,
    [],
    ['issuer', 'sub', 'issuedBefore'],
    true,
  ]);
});

test.each([
  ['no token', who, 'give --token-file'],
  ['nothing to revoke', ['--token-file', file, '--issuer', 'i'], 'exactly one of jti, sid, sub'],
  ['two things', ['--token-file', file, ...who, '--jti', 't'], 'exactly one of jti, sid, sub'],
  ["nobody's tokens", ['--token-file', file, '--sub', 'a'], 'exactly one of issuer and provider'],
  ['a time that is none', ['--token-file', file, ...who, '--expires-at', 'soon'], 'expiresAt must be a time'],
  ['a file that is not there', ['--token-file', `${file}.gone`, ...who], 'cannot be read'],
])('%s is a mistake on the command line', async (_name, args, why) => {
  const { exitCode, stderr, asked } = await revoke(args);
  expect([exitCode, stderr, asked]).toEqual([2, expect.stringContaining(why), []]);
});

test('a refusal is 1, a service that does not answer 3, and neither tells the token', async () => {
  const refused = await revoke(['--token-file', file, ...who], () => ({
    kind: 'refused',
    status: 401,
    error: 'unauthorized',
    message: 'no',
  }));
  const away = await revoke(['--token-file', file, ...who], () => {
    throw new Failure('unreachable', '127.0.0.1:9003 cannot be reached (ECONNREFUSED)');
  });
  expect([refused.exitCode, refused.stdout, away.exitCode]).toEqual([1, 'REFUSED 401 no [unauthorized]\n', 3]);
  expect(`${refused.stdout}${refused.stderr}${away.stdout}${away.stderr}`).not.toContain('an-admin-token');
});

test('for scripts there is JSON', async () => {
  const { stdout } = await revoke(['--token-file', file, ...who, '-o', 'json']);
  expect(JSON.parse(stdout)).toEqual(report);
});
