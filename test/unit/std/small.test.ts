import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closest } from '../../../src/std/closest.ts';
import { isHeaderName, isHeaderValue, isProtocolHeader, twinForm } from '../../../src/std/http-headers.ts';
import { canonicalIp, compileAddressSet, parseCidr } from '../../../src/std/ip.ts';
import { compileRegularExpression } from '../../../src/std/regular-expression.ts';

describe('addresses', () => {
  test.each(['1', '010.0.0.1', '0x7f.1', '10.0.0.1:80', 'fe80::1%eth0', '', 'localhost', '[::1]'])(
    '%j is no address',
    (text) => {
      expect(canonicalIp(text)).toBeUndefined();
    },
  );

  test.each(['10.0.0.0/33', '10.1.0.0/8', '2001:db8::1/32', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/8/8', '/8'])(
    '%j is no range',
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );

  test('a range holds what it says, and the families stay apart', () => {
    const set = compileAddressSet(['10.0.0.0/8', '2001:db8::/32', '::/0', '192.0.2.1']);
    expect(['10.255.0.1', '192.0.2.1', '2001:db8::1', '::1'].map((ip) => set.has(ip))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['11.0.0.1', '192.0.2.2'].map((ip) => set.has(ip))).toEqual([false, false]);
  });
});

describe('header names and values', () => {
  test('what belongs to the protocol or the proxy is known in any case', () => {
    expect([':path', 'Host', 'Connection', 'content-length', 'X-Envoy-Foo', 'te'].map(isProtocolHeader)).not.toContain(
      false,
    );
    expect(['authorization', 'x-user', 'cookie'].map(isProtocolHeader)).not.toContain(true);
  });

  test('values have no control characters and no spaces at their ends', () => {
    expect(['a', 'a b', 'é', ''].map(isHeaderValue)).not.toContain(false);
    expect(['a\r\nb', 'a\tb', ' a', 'a ', 'a\u0000', '\ud800'].map(isHeaderValue)).not.toContain(true);
    expect([isHeaderName('x-a'), isHeaderName(':a'), isHeaderName('a b'), isHeaderName('')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(twinForm('x_user-id')).toBe('x-user-id');
  });
});

describe('closest', () => {
  test('finds a misspelling and nothing far away', () => {
    expect(closest('acess', ['access', 'matches'])).toBe('access');
    expect(closest('zzz', ['access', 'matches'])).toBeUndefined();
  });
});

describe('regular expressions', () => {
  test.each([
    ['/orders/[0-9]+', '/orders/'],
    ['^/orders$', '/orders'],
    ['(?:/foo|/foobar)', '/foo'],
    ['(?i)/Admin', '/'],
    ['(.*/)?x', ''],
  ])('%s has the literal prefix %j', (pattern, prefix) => {
    const compiled = compileRegularExpression(pattern);
    expect(compiled).toMatchObject({ kind: 'regular-expression', literalPrefix: prefix });
  });

  test.each(['(', 'a**', '(?=a)', '\\1', '[z-a]', 'a{2000}'])('%j is refused', (pattern) => {
    expect(compileRegularExpression(pattern).kind).toBe('invalid');
  });

  test('a text that matches begins with the literal prefix', () => {
    const part = fc.constantFrom(
      'a',
      'b',
      '/',
      '(a|b)',
      '(ab|ac)',
      'a?',
      'b*',
      '[ab]',
      '(?i:a)',
      '^',
      '\\.',
      'a+',
      '(/a|/ab)',
    );
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 6 }),
        fc.string({ unit: fc.constantFrom('a', 'b', 'A', '/', '.'), maxLength: 8 }),
        (parts, text) => {
          const compiled = compileRegularExpression(parts.join(''));
          if (compiled.kind === 'invalid' || !compiled.matches(text)) return;
          expect(text.startsWith(compiled.literalPrefix)).toBe(true);
        },
      ),
      { numRuns: 5000 },
    );
  });
});
