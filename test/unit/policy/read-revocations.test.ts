import { expect, test } from 'vitest';
import { readRevocation } from '../../../src/policy/revocations/read-revocation.ts';
import { readRevocationList, sayProblems } from '../../../src/policy/revocations/read-revocation-list.ts';
import { runAtOnce } from '../../../src/std/steps.ts';

const issuer = 'https://idp.example';
const scope = { issuer, namespace: '', provider: '' };

test.each([
  [
    { issuer, jti: 't' },
    { scope, target: 'jti', value: 't', issuedBefore: undefined, expiresAt: undefined },
  ],
  [
    { provider: 'shop/okta', sub: 'alice', issuedBefore: '2027-01-15T08:00:00Z', expiresAt: 1_800_000_600 },
    {
      scope: { issuer: '', namespace: '', provider: 'shop/okta' },
      target: 'sub',
      value: 'alice',
      issuedBefore: 1_800_000_000,
      expiresAt: 1_800_000_600,
    },
  ],
  [
    { issuer, namespace: 'shop', email: 'Alice@Acme.example', comment: 'left' },
    { scope: { ...scope, namespace: 'shop' }, target: 'email', value: 'alice@acme.example' },
  ],
  [
    { provider: 'keycloak', client: 'ci', issuedBefore: '2027-01-15T09:00:00+01:00' },
    { target: 'client', issuedBefore: 1_800_000_000 },
  ],
])('reads %j', (written, read) => {
  expect(readRevocation(written)).toMatchObject({ value: read });
});

test.each([
  [[], 'a revocation is an object'],
  [{ issuer, jti: 't', issuedbefore: 1 }, '"issuedbefore" is no field of a revocation'],
  [{ jti: 't' }, 'exactly one of issuer and provider is needed'],
  [{ issuer, provider: 'shop/okta', jti: 't' }, 'exactly one of issuer and provider is needed'],
  [{ issuer: 7, jti: 't' }, 'issuer must be a text, as it stands in iss'],
  [
    { provider: 'a/b/c', jti: 't' },
    'provider must be namespace/name of an IdentityProvider, or the name of a ClusterIdentityProvider',
  ],
  [{ provider: 'shop/okta', namespace: 'shop', jti: 't' }, 'namespace stands with issuer, not with provider'],
  [{ issuer, namespace: 'S', jti: 't' }, 'namespace must be the name of a namespace'],
  [{ issuer }, 'exactly one of jti, sid, sub, subWithoutSid, client, email is needed'],
  [{ issuer, jti: 't', sub: 'a' }, 'exactly one of jti, sid, sub, subWithoutSid, client, email is needed'],
  [{ issuer, sub: '' }, 'sub must be a text of 1 to 512 characters'],
  [{ issuer, sub: 'a\nb' }, 'sub must be a text of 1 to 512 characters'],
  [{ issuer, sub: null }, 'sub must be a text of 1 to 512 characters'],
  [{ issuer, jti: 't', issuedBefore: 5 }, 'issuedBefore does not stand with jti, which is one token'],
  [
    { issuer, sub: 'a', issuedBefore: 'yesterday' },
    'issuedBefore must be a time such as 2026-11-21T08:30:00Z, or seconds since the epoch',
  ],
  [
    { issuer, sub: 'a', issuedBefore: 1_800_000_000_000 },
    'issuedBefore must be a time such as 2026-11-21T08:30:00Z, or seconds since the epoch',
  ],
  [
    { issuer, sub: 'a', expiresAt: '2026-02-31T99:00:00Z' },
    'expiresAt must be a time such as 2026-11-21T08:30:00Z, or seconds since the epoch',
  ],
])('refuses %j', (written, wrong) => {
  expect(readRevocation(written)).toEqual({ wrong });
});

test('a list is a revocation a line, with comments and empty lines', () => {
  const text = `# left in May\n\n{"issuer": "${issuer}", "sub": "alice"}\r\n  {"issuer": "${issuer}", "jti": "t"}\n`;
  const { entries, problems } = runAtOnce(readRevocationList(text));
  expect([entries.map(({ target, value }) => `${target} ${value}`), problems]).toEqual([['sub alice', 'jti t'], []]);
});

test('or one array', () => {
  const { entries, problems } = runAtOnce(readRevocationList(`\n[{"issuer": "${issuer}",\n "sub": "alice"}]`));
  expect([entries.length, problems]).toEqual([1, []]);
});

test('what cannot be read is named by its place and not quoted, and the rest counts', () => {
  const text = `{"issuer": "${issuer}", "sub": "alice"}\n{"sub": "secret-1"}\n{secret-2\n{"issuer": "i", "sub": "a", "sub": "b"}`;
  const { entries, problems } = runAtOnce(readRevocationList(text));
  expect(entries).toHaveLength(1);
  expect(sayProblems(problems)).toBe(
    'line 3 is no JSON (syntax); line 4 is no JSON (duplicate_member); line 2: exactly one of issuer and provider is needed',
  );
  expect(runAtOnce(readRevocationList('[{"issuer":'))).toEqual({
    entries: [],
    problems: ['it is no array of JSON (syntax)'],
  });
  expect(runAtOnce(readRevocationList('[1]')).problems).toEqual(['element 1: a revocation is an object']);
});

test('an empty list is one, and many problems are not all told', () => {
  expect(runAtOnce(readRevocationList(' \n'))).toEqual({ entries: [], problems: [] });
  expect(sayProblems([])).toBeUndefined();
  expect(sayProblems(['a', 'b', 'c', 'd', 'e', 'f'])).toBe('a; b; c; d; e; and 1 more');
});

test('a line ends with LF, CRLF or CR, so that a comment hides nothing behind it', () => {
  const line = (sub: string): string => `{"issuer": "${issuer}", "sub": "${sub}"}`;
  const text = `# a list\r${line('alice')}\r\n${line('bob')}\n${line('carol')}\r{\r\n\r{`;
  const { entries, problems } = runAtOnce(readRevocationList(text));
  expect([entries.map(({ value }) => value), problems]).toEqual([
    ['alice', 'bob', 'carol'],
    ['line 5 is no JSON (syntax)', 'line 7 is no JSON (syntax)'],
  ]);
});

test('an array is read element by element, whatever stands within their texts', () => {
  const of = (sub: string): string => JSON.stringify({ issuer, sub });
  const subs = ['a],b', '[{"', '\\', 'é'];
  const { entries, problems } = runAtOnce(readRevocationList(` [ ${subs.map(of).join(' , ')}\n]\r\n`));
  expect([entries.map(({ value }) => value), problems]).toEqual([subs, []]);
  expect(runAtOnce(readRevocationList('[ ]'))).toEqual({ entries: [], problems: [] });
});

test.each([
  ['a comma too much', (one: string) => `[${one},]`, 'syntax'],
  ['a comma alone', () => '[,]', 'syntax'],
  ['no end', (one: string) => `[${one},${one}`, 'syntax'],
  ['a text without an end', (one: string) => `[${one},"]`, 'syntax'],
  ['something behind it', (one: string) => `[${one}] ${one}`, 'syntax'],
  ['a bracket too much', (one: string) => `[${one}]]`, 'syntax'],
  ['a bracket of the wrong kind', (one: string) => `[${one}}`, 'syntax'],
  ['a space that is none of JSON before it', (one: string) => `\u00a0[${one}]`, 'syntax'],
  ['a member twice', (one: string) => `[${one},{"sub":"a","sub":"a"}]`, 'duplicate_member'],
])('nothing counts of an array with %s', (_name, make, reason) => {
  const { entries, problems } = runAtOnce(readRevocationList(make(JSON.stringify({ issuer, sub: 'alice' }))));
  expect([entries, problems]).toEqual([[], [`it is no array of JSON (${reason})`]]);
});

test('an end within a second is that of the second', () => {
  expect(readRevocation({ issuer, sub: 'a', expiresAt: 1_800_000_000.001 })).toMatchObject({
    value: { expiresAt: 1_800_000_001 },
  });
  expect(readRevocation({ issuer, sub: 'a', expiresAt: '2027-01-15T08:00:00.5Z' })).toMatchObject({
    value: { expiresAt: Date.parse('2027-01-15T08:00:01Z') / 1000 },
  });
});
