import { describe, expect, test } from 'vitest';
import { canonicalIp } from '../../../src/std/ip.ts';
import { clientAddress } from '../../../src/canonical/client-address.ts';
import { readHeaders } from '../../../src/canonical/headers.ts';
import { canonicalizeHost } from '../../../src/canonical/host.ts';
import { readQuery } from '../../../src/canonical/query.ts';
import { isDenial, readRequest } from '../../../src/canonical/read-request.ts';
import { rawHeaders } from '../../../src/canonical/raw-headers.ts';
import { rawRequest, type RawRequestParts } from '../../support/raw-request.ts';

describe('canonicalizeHost', () => {
  test.each([
    ['Api.Example.com', { host: 'api.example.com', port: undefined }],
    ['api.example.com.:8443', { host: 'api.example.com', port: 8443 }],
    ['10.0.0.1:80', { host: '10.0.0.1', port: 80 }],
    ['[2001:DB8:0::1]:80', { host: '[2001:db8::1]', port: 80 }],
    ['[::ffff:10.0.0.1]', { host: '10.0.0.1', port: undefined }],
    ['a_b.example', { host: 'a_b.example', port: undefined }],
  ])('reads %s', (raw, read) => {
    expect(canonicalizeHost(raw)).toEqual({ kind: 'host', ...read });
  });

  test.each([
    '',
    '.',
    'a..b',
    '.a',
    'a..',
    'a,b',
    'u@a',
    'a/b',
    'a b',
    'a:b',
    'a:',
    'a:99999',
    'a%2eb',
    'é',
    '[::1',
    '::1',
    '[zz]',
    'a?b',
    'a#b',
    'a'.repeat(260),
  ])('refuses %j', (raw) => {
    expect(canonicalizeHost(raw).kind).toBe('refusal');
  });
});

describe('clientAddress', () => {
  test.each([
    ['without trusted hops the direct peer', '10.0.0.1', '1.1.1.1', 0, '10.0.0.1'],
    ['the entry that the trusted hop saw', '10.0.0.1', '1.1.1.1, 2.2.2.2', 1, '2.2.2.2'],
    [
      'the same where the proxy has appended the peer before it asked',
      '10.0.0.1',
      '1.1.1.1, 2.2.2.2, 10.0.0.1',
      1,
      '2.2.2.2',
    ],
    ['two hops', '10.0.0.1', '9.9.9.9, 1.1.1.1, 2.2.2.2', 2, '1.1.1.1'],
    ['unknown where the chain is shorter than the hops', '10.0.0.1', '2.2.2.2', 2, undefined],
    ['unknown without the header', '10.0.0.1', undefined, 1, undefined],
    ['unknown where an entry to be trusted is no address', '10.0.0.1', '1.1.1.1, evil', 2, undefined],
    ['unknown where the client wrote no address', '10.0.0.1', 'evil', 1, undefined],
    ['unknown without a peer', undefined, undefined, 0, undefined],
    [
      'unknown without a peer behind a trusted hop, whatever the client wrote',
      undefined,
      '1.1.1.1, 2.2.2.2',
      1,
      undefined,
    ],
    ['unknown where the peer is no address', 'pipe', '1.1.1.1, 2.2.2.2', 1, undefined],
    ['the same behind a long chain', '10.0.0.1', `${'9.9.9.9, '.repeat(50)}1.1.1.1, 2.2.2.2, 10.0.0.1`, 2, '1.1.1.1'],
    ['an entry with a port', '10.0.0.1', '1.1.1.1:4711', 1, '1.1.1.1'],
    ['an IPv6 entry with a port', '10.0.0.1', '[2001:DB8::1]:4711', 1, '2001:db8::1'],
    ['a mapped address as IPv4', '::ffff:10.0.0.1', undefined, 0, '10.0.0.1'],
  ])('%s', (_title, peer, forwarded, hops, expected) => {
    const direct = peer === undefined ? undefined : canonicalIp(peer);
    expect(clientAddress(direct, { get: () => forwarded }, hops)).toBe(expected);
  });
});

describe('readQuery', () => {
  test('keeps every value, decoded once', () => {
    const query = readQuery('a=1&b=x%20y+z&a=2&c&d=%zz%41');
    expect(query.getAll('a')).toEqual(['1', '2']);
    expect(query.getAll('b')).toEqual(['x y z']);
    expect(query.getAll('c')).toEqual(['']);
    expect(query.getAll('d')).toEqual(['%zzA']);
    expect(query.getAll('e')).toEqual([]);
  });

  test('sees a name in another spelling, and one behind a semicolon', () => {
    expect(readQuery('t%6Fken=1').hasEncodedSpelling('token')).toBe(true);
    expect(readQuery('a=1;token=2').hasEncodedSpelling('token')).toBe(true);
    expect(readQuery('token=1').hasEncodedSpelling('token')).toBe(false);
  });

  test('has no names but its own', () => {
    expect(readQuery('').getAll('__proto__')).toEqual([]);
    expect(readQuery('a=1').getAll('constructor')).toEqual([]);
  });
});

describe('readHeaders', () => {
  test('joins duplicates, counts them and knows what is no text', () => {
    const headers = readHeaders(
      rawHeaders([
        { name: 'a', value: '1', isText: true },
        { name: 'a', value: '2', isText: false },
        { name: '__proto__', value: 'x', isText: true },
      ]),
    );
    expect([[...headers.names()], headers.underscored]).toEqual([['a', '__proto__'], ['__proto__']]);
    expect([headers.get('a'), headers.count('a'), headers.isText('a')]).toEqual(['1,2', 2, false]);
    expect([headers.get('__proto__'), headers.count('b'), headers.get('constructor')]).toEqual(['x', 0, undefined]);
  });
});

describe('readRequest', () => {
  const codeOf = (parts: RawRequestParts): string => {
    const read = readRequest(rawRequest(parts), { trustedHops: 0, maxHeaders: 3 });
    return isDenial(read) ? read.code : 'read';
  };

  test('refuses a second header of those that decide', () => {
    expect(
      codeOf({
        headers: [
          ['authorization', 'a'],
          ['authorization', 'b'],
        ],
      }),
    ).toBe('header_duplicated');
    expect(
      codeOf({
        headers: [
          ['accept', 'a'],
          ['accept', 'b'],
        ],
      }),
    ).toBe('read');
  });

  test('refuses more header fields than it reads', () => {
    expect(
      codeOf({
        headers: [
          ['a', '1'],
          ['b', '1'],
          ['c', '1'],
          ['d', '1'],
        ],
      }),
    ).toBe('request_too_large');
    expect(
      codeOf({
        headers: [
          ['a', '1'],
          ['b', '1'],
          ['c', '1'],
        ],
      }),
    ).toBe('read');
  });

  test('splits the target at the first question mark', () => {
    const read = readRequest(rawRequest({ path: '/a?x=1?y=//' }), { trustedHops: 0, maxHeaders: 3 });
    expect(read).toMatchObject({ path: '/a', rawPath: '/a', rawQuery: 'x=1?y=//' });
  });
});
