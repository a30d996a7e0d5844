import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseHtpasswd } from '../../../src/phases/identity/basic/parse-htpasswd.ts';
import { readBasicCredentials } from '../../../src/phases/identity/basic/read-basic-credentials.ts';
import { basicToken, bcryptHash, hashOf } from './basic-fixtures.ts';

describe('an htpasswd file', () => {
  test('has a user on each line, comments and empty lines beside', () => {
    const { users, faults } = parseHtpasswd(
      `# users\n\nalice:${hashOf('a')}\r\nbob smith:${hashOf('b')}  \nzoë:${hashOf('c')}`,
    );
    expect([...users.keys()]).toEqual(['alice', 'bob smith', 'zoë']);
    expect(users.get('bob smith')).toEqual({
      name: 'bob smith',
      text: hashOf('b'),
      hash: { kind: 'bcrypt', text: hashOf('b'), cost: 10 },
    });
    expect(faults).toBe(undefined);
  });

  test('names by its line, and never by its content, what is not used or weak', () => {
    const { users, faults } = parseHtpasswd(
      [
        `alice:${hashOf('a')}`,
        'canary1:$apr1$canary2$v8pVQIUqmZ4VZRQraXWLu1',
        'canary3:canary4',
        'canary5',
        ':canary6',
        `canary7\u0001:${hashOf('b')}`,
        `canary8:${bcryptHash}`,
        `canary9:${hashOf('c')}:canary10`,
        'canary11:$apr1$canary12$v8pVQIUqmZ4VZRQraXWLu1',
      ].join('\n'),
    );
    expect([...users.keys()]).toEqual(['alice', 'canary8']);
    expect(faults).toBe(
      'not used: lines 2, 9 (an MD5 hash, which is no protection), line 3 (neither a bcrypt, an argon2 nor a scrypt hash), ' +
        'lines 4, 5, 6 (without a name and a colon), line 8 (a bcrypt hash that is not whole); ' +
        'used, though weak: line 7 (bcrypt with a cost below 10)',
    );
  });

  test('of two lines with one name neither works, nor of three', () => {
    const line = `alice:${hashOf('a')}`;
    const { users, faults } = parseHtpasswd(`${line}\nbob:${hashOf('b')}\n${line}\nalice:${hashOf('other')}`);
    expect([...users.keys()]).toEqual(['bob']);
    expect(faults).toBe('not used: lines 1, 3, 4 (of one name with another line)');
  });

  test('a name that is also a line without a usable hash does not come in by the other', () => {
    expect([...parseHtpasswd(`alice:plain\nalice:${hashOf('a')}`).users.keys()]).toEqual([]);
  });

  test('says of many lines only how many there are', () => {
    const { faults } = parseHtpasswd(Array.from({ length: 12 }, (_, index) => `u${index}:plain`).join('\n'));
    expect(faults).toContain('lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more');
  });

  test('has at most ten thousand users', () => {
    const { users, faults } = parseHtpasswd(
      Array.from({ length: 10_001 }, (_, index) => `u${index}:${hashOf('a')}`).join('\n'),
    );
    expect([users.size, users.has('u9999'), users.has('u10000')]).toEqual([10_000, true, false]);
    expect(faults).toBe('not used: line 10001 (beyond the first 10000 users)');
  });

  test('with a line of many blanks, or too long a one, is read at once and leaves the others', () => {
    const started = performance.now();
    const blanks = ' '.repeat(400_000);
    const { users, faults } = parseHtpasswd(
      [`alice:${blanks}x`, `bob:${hashOf('b')}${blanks}`, 'c'.repeat(2000), `dora:${hashOf('d')}`].join('\n'),
    );
    expect(performance.now() - started).toBeLessThan(500);
    expect([...users.keys()]).toEqual(['bob', 'dora']);
    expect(faults).toBe('not used: lines 1, 3 (longer than 1024 characters)');
  });

  test('that is too long as a whole is not used', () => {
    const line = `bob:${hashOf('b')}\n`;
    expect(parseHtpasswd(line + '\n'.repeat(2_000_000)).users.size).toBe(1);
    expect(parseHtpasswd(line + '\n'.repeat(2_100_000))).toEqual({
      users: new Map(),
      faults: 'longer than 2097152 characters: not used',
    });
  });

  test('read again, leaves those who they were whose line is the same', () => {
    const before = parseHtpasswd(`alice:${hashOf('a')}\nbob:${hashOf('b')}`);
    const after = parseHtpasswd(`bob:${hashOf('b')}\nalice:${hashOf('other')}`, before.users);
    expect(after.users.get('bob')).toBe(before.users.get('bob'));
    expect(after.users.get('alice')).not.toBe(before.users.get('alice'));
  });
});

describe('what stands behind Basic (RFC 7617)', () => {
  test.each([
    ['Aladdin', 'open sesame', 'QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
    ['test', '123£', 'dGVzdDoxMjPCow=='],
    ['a', '', 'YTo='],
    ['a', ':b:', 'YTo6Yjo='],
    ['a b', ' ', 'YSBiOiA='],
    ['\ufeffa', 'b', '77u/YTpi'],
  ])('%j and %j', (user, password, token) => {
    expect(basicToken(user, password)).toBe(token);
    expect(readBasicCredentials(token)).toEqual({ user, password });
  });

  const bytes = (...values: (string | number)[]) =>
    Buffer.concat(values.map((value) => (typeof value === 'string' ? Buffer.from(value) : Buffer.of(value)))).toString(
      'base64',
    );
  test.each([
    ['', 'The credential is not base64.'],
    ['dGVzdDoxMjPCow', 'The credential is not base64.'],
    ['dGVzdDoxMjPCow=', 'The credential is not base64.'],
    ['dGVzdDoxMjPCow===', 'The credential is not base64.'],
    ['dGVzdDoxMjPCox==', 'The credential is not base64.'],
    ['dGVz dDoxMjPCow==', 'The credential is not base64.'],
    ['dGVzdDoxMjPCow==\n', 'The credential is not base64.'],
    ['a-b_', 'The credential is not base64.'],
    [bytes('a:', 0xff), 'The credential is not UTF-8.'],
    [bytes('a:', 0xed, 0xa0, 0x80), 'The credential is not UTF-8.'],
    [bytes('a:', 0xc0, 0xaf), 'The credential is not UTF-8.'],
    [bytes('a:b', 0), 'The credential holds a control character.'],
    [bytes('a', 0x0d, 0x0a, ':b'), 'The credential holds a control character.'],
    [bytes('a:', 0x7f), 'The credential holds a control character.'],
    [bytes('a:', 0xc2, 0x85), 'The credential holds a control character.'],
    [bytes('alice'), 'The credential has no colon between name and password.'],
    [bytes(':b'), 'The credential has no name.'],
    [bytes(':'), 'The credential has no name.'],
    [bytes('a'.repeat(256), ':b'), 'The name is longer than 255 bytes.'],
    [bytes('a:', 'b'.repeat(1025)), 'The password is longer than 1024 bytes.'],
  ])('%j is refused', (token, why) => {
    expect(readBasicCredentials(token)).toEqual({ why });
  });

  test('any name and password without control characters come out as they went in, and any text is read or refused', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 60 });
    fc.assert(
      fc.property(text, text, fc.string({ unit: 'binary' }), (user, password, any) => {
        const read = readBasicCredentials(basicToken(user, password));
        if ('user' in read) expect(`${read.user}:${read.password}`).toBe(`${user}:${password}`);
        const other = readBasicCredentials(any);
        if ('user' in other) expect(basicToken(other.user, other.password)).toBe(any);
      }),
      { numRuns: 500 },
    );
  });
});
