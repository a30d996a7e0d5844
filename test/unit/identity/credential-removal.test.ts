import { describe, expect, test } from 'vitest';
import { compileCredentialRemoval } from '../../../src/phases/identity/credential-removal.ts';
import type { CredentialPlace } from '../../../src/policy/provider-spec.ts';
import { bearer, requestOf, type RequestParts } from './identity-fixtures.ts';

const cookie: CredentialPlace = { in: 'cookie', name: 'token' };
const query: CredentialPlace = { in: 'query', name: 'access_token' };
const whole: CredentialPlace = { in: 'header', name: 'x-token', scheme: undefined };

function remove(places: readonly CredentialPlace[], parts: RequestParts): unknown {
  const result = compileCredentialRemoval(places)(requestOf(parts));
  return 'changes' in result ? result.changes : result.denial.code;
}

const nothing = { setHeaders: [], removeHeaders: [], removeQueryParameters: [] };

describe('S27: a credential in a header', () => {
  test.each([
    ['its own scheme', 'Bearer abc', ['authorization']],
    ['in any case', 'bEARER abc', ['authorization']],
    ['malformed', 'Bearer', ['authorization']],
    ['with a separator that only others read', 'Bearer\u00a0abc', ['authorization']],
    ['behind white space', ' Bearer abc', ['authorization']],
    ['another scheme stays', 'Basic dXNlcjpwYXNz', []],
    ['a scheme that begins alike stays', 'BearerX abc', []],
  ])('%s', (_name, value, removed) => {
    expect(remove([bearer], { headers: [['authorization', value]] })).toEqual({ ...nothing, removeHeaders: removed });
  });

  test('a header that is a credential as a whole is removed though it is not seen', () => {
    expect(remove([whole], {})).toEqual({ ...nothing, removeHeaders: ['x-token'] });
  });

  test('a header that is not text goes', () => {
    expect(remove([bearer], { headers: [{ name: 'authorization', value: '!Bearer abc', isText: false }] })).toEqual({
      ...nothing,
      removeHeaders: ['authorization'],
    });
  });

  test('a list or a duplicate is refused', () => {
    expect(remove([bearer], { headers: [['authorization', 'Basic dXNlcg==, Bearer abc']] })).toBe(
      'credential_ambiguous',
    );
    expect(
      remove([whole], {
        headers: [
          ['x-token', 'a'],
          ['x-token', 'b'],
        ],
      }),
    ).toBe('header_duplicated');
  });
});

describe('S27: a credential in a cookie', () => {
  test.each([
    ['in the middle', 'a=1; token=x; b=2', 'a=1; b=2'],
    ['at the start', 'token=x; a=1', 'a=1'],
    ['at the end', 'a=1; token=x', 'a=1'],
    ['twice', 'token=x; a=1; token=y', 'a=1'],
    ['without a value', 'a=1; token; b=2', 'a=1; b=2'],
    ['without spaces', 'a=1;token=x;b=2', 'a=1;b=2'],
    ['the rest byte for byte', 'a="1 =,;  token = x;b = é ;; token2=y', 'a="1 =,;b = é ;; token2=y'],
    ['no space at the end', 'a=1 ; token=x', 'a=1'],
  ])('%s', (_name, value, rest) => {
    expect(remove([cookie], { headers: [['cookie', value]] })).toEqual({ ...nothing, setHeaders: [['cookie', rest]] });
  });

  test.each([['token=x'], ['token=x;'], [' token=x ; '], ['token=x; token=y']])('nothing is left of %j', (value) => {
    expect(remove([cookie], { headers: [['cookie', value]] })).toEqual({ ...nothing, removeHeaders: ['cookie'] });
  });

  test.each([['a=1; Token=x'], ['tokens=x'], ['a=token'], ['a=1']])('%j stays as it is', (value) => {
    expect(remove([cookie], { headers: [['cookie', value]] })).toEqual(nothing);
  });

  test.each([['\t'], ['\u0001'], ['\u0085'], ['é'.repeat(8200)]])(
    'a rest that cannot be sent on is refused: %j',
    (part) => {
      expect(remove([cookie], { headers: [['cookie', `a=1${part}2; token=x`]] })).toBe('token_malformed');
      expect(remove([cookie], { headers: [['cookie', `a=1${part}2`]] })).toEqual(nothing);
    },
  );

  test('two cookies of two places', () => {
    expect(remove([cookie, { in: 'cookie', name: 'sid' }], { headers: [['cookie', 'sid=1; a=2; token=3']] })).toEqual({
      ...nothing,
      setHeaders: [['cookie', 'a=2']],
    });
  });

  test('behind a comma, in one of two fields, or in a field that is not text it is refused', () => {
    expect(remove([cookie], { headers: [['cookie', 'a=1,token=x']], duplicates: 'joined' })).toBe('header_duplicated');
    expect(
      remove([cookie], {
        headers: [
          ['cookie', 'token=x'],
          ['cookie', 'a=1'],
        ],
      }),
    ).toBe('header_duplicated');
    expect(
      remove([cookie], {
        headers: [
          ['cookie', 'a=1'],
          ['cookie', 'b=2'],
        ],
      }),
    ).toEqual(nothing);
    expect(remove([cookie], { headers: [{ name: 'cookie', value: 'a=!; token=x', isText: false }] })).toBe(
      'token_malformed',
    );
    expect(remove([cookie], { headers: [{ name: 'cookie', value: 'a=!', isText: false }] })).toEqual(nothing);
  });
});

describe('S27: a credential in the query', () => {
  test('is removed by its name where it is there', () => {
    expect(remove([query], { target: '/x?a=1&access_token=x' })).toEqual({
      ...nothing,
      removeQueryParameters: ['access_token'],
    });
    expect(remove([query], { target: '/x?access_token' })).toEqual({
      ...nothing,
      removeQueryParameters: ['access_token'],
    });
    expect(remove([query], { target: '/x?a=access_token&access_tokens=1' })).toEqual(nothing);
  });

  test('an encoded spelling of its name is refused, two values too', () => {
    expect(remove([query], { target: '/x?access%5ftoken=x' })).toBe('credential_ambiguous');
    expect(remove([query], { target: '/x?access_token=x&%61ccess_token=x' })).toBe('credential_ambiguous');
    expect(remove([query], { target: '/x?access_token=x&access_token=y' })).toBe('credential_ambiguous');
    expect(remove([query], { target: '/x?a%5fb=x' })).toEqual(nothing);
  });
});

test('S20: everything at once', () => {
  expect(
    remove([bearer, whole, cookie, query], {
      target: '/x?access_token=q&a=1',
      headers: [
        ['authorization', 'Bearer h'],
        ['cookie', 'token=c; a=1'],
        ['x-token', 'w'],
      ],
    }),
  ).toEqual({
    setHeaders: [['cookie', 'a=1']],
    removeHeaders: ['authorization', 'x-token'],
    removeQueryParameters: ['access_token'],
  });
});
