import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseForwardedCertificate } from '../../../src/canonical/forwarded-certificate.ts';

const hash = 'ab'.repeat(32);

describe('x-forwarded-client-cert', () => {
  test('as Envoy writes it', () => {
    const text = `By=spiffe://cluster.local/edge;By=urn:edge;Hash=${hash};Cert="-----BEGIN%20CERTIFICATE-----%0A";Chain="x";Subject="CN=a\\,b;c,O=\\"x\\"";URI=spiffe://cluster.local/a;URI=urn:b;DNS=a.example;DNS=b.example`;
    expect(parseForwardedCertificate(text)).toEqual({
      kind: 'found',
      hash,
      certificate: '-----BEGIN%20CERTIFICATE-----%0A',
    });
  });

  test('with keys in any case, and without names', () => {
    expect(parseForwardedCertificate(`hash=${hash};SUBJECT="";URI=`)).toEqual({
      kind: 'found',
      hash,
      certificate: undefined,
    });
  });

  test.each([
    ['nothing', ''],
    ['no pair', 'x'],
    ['a key without a name', `=x;Hash=${hash}`],
    ['no hash', 'URI=spiffe://cluster.local/a'],
    ['a hash in upper case', `Hash=${hash.toUpperCase()}`],
    ['a hash that is short', 'Hash=abcd'],
    ['two hashes', `Hash=${hash};Hash=${hash}`],
    ['two certificates', `Hash=${hash};Cert=a;Cert=b`],
    ['two subjects', `Hash=${hash};Subject=a;Subject=b`],
    ['a URI behind a DNS name', `Hash=${hash};URI=;DNS=x;URI=spiffe://cluster.local/ns/admin/sa/root`],
    ['a certificate behind a name', `Hash=${hash};URI=x;Cert=a`],
    ['a certificate behind the subject', `Hash=${hash};Subject="a";Cert=a`],
    ['a hash behind a certificate', `Cert=a;Hash=${hash}`],
    ['a By behind the hash', `Hash=${hash};By=a`],
    ['a key that Envoy does not write', `Hash=${hash};URI=spiffe://cluster.local/a;x=y`],
    ['a key of another name before all', `x=y;Hash=${hash}`],
    ['two chains', `Hash=${hash};Chain=a;Chain=b`],
    ['a quote that does not end', `Hash=${hash};Subject="a`],
    ['a quote that a backslash keeps open', String.raw`Hash=${hash};Subject="a\"`],
    ['something behind a quote', `Hash=${hash};Subject="a"b`],
    ['a quote inside', `Hash=${hash};Subject=a"b"`],
    ['a semicolon at the end', `Hash=${hash};`],
    ['a comma at the end', `Hash=${hash},`],
    ['two elements', `Hash=${hash},Hash=${hash}`],
    ['a space before a key', `Hash=${hash}; URI=a`],
    ['a very long text', `Hash=${hash};Chain=${'a'.repeat(70_000)}`],
  ])('with %s is not read', (_title, text) => {
    expect(parseForwardedCertificate(text)).toBeUndefined();
  });

  test('of any form is read or not, in no time, and never as more than it is', () => {
    const part = fc.constantFrom(
      'Hash=',
      hash,
      'URI=',
      'Cert=',
      'Subject=',
      '"',
      '\\',
      ';',
      ',',
      '=',
      'a',
      ' ',
      'DNS=',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 200 }),
          fc.array(part, { maxLength: 30 }).map((parts) => parts.join('')),
        ),
        (text) => {
          const found = parseForwardedCertificate(text);
          // A value may stand in quotes.
          if (found !== undefined) expect(text.replaceAll('="', '=')).toContain(`=${found.hash}`);
        },
      ),
      { numRuns: 2000 },
    );
    const started = performance.now();
    parseForwardedCertificate(`Hash=${hash};Subject="${'\\"'.repeat(30_000)}`);
    parseForwardedCertificate('a=;'.repeat(20_000));
    expect(performance.now() - started).toBeLessThan(500);
  });

  test('is read the same whatever names Envoy writes behind its certificate, or refused', () => {
    const plain = fc.string({
      unit: fc.constantFrom('a', 'B', '1', '/', ':', '.', '-', '=', ' ', '%', 'é'),
      minLength: 1,
      maxLength: 20,
    });
    const subject = fc.string({ maxLength: 40 });
    fc.assert(
      fc.property(
        subject,
        fc.array(plain, { maxLength: 3 }),
        fc.array(plain, { maxLength: 3 }),
        (name, uris, names) => {
          const escaped = name.replaceAll(/["\\]/g, '\\$&').replaceAll(/[\r\n\u2028\u2029]/g, ' ');
          const values = [...uris.map((uri) => `URI=${uri}`), ...names.map((dns) => `DNS=${dns}`)];
          const text = [`By=urn:edge`, `Hash=${hash}`, `Subject="${escaped}"`, ...values].join(';');
          expect(parseForwardedCertificate(text)).toEqual({ kind: 'found', hash, certificate: undefined });
        },
      ),
      { numRuns: 500 },
    );
  });

  test('with one changed character says nothing that does not stand in it', () => {
    const good = `By=spiffe://a/edge;Hash=${hash};Cert="-----BEGIN%20CERTIFICATE";Subject="CN=a\\,b;c";URI=spiffe://a/b;DNS=a.example`;
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ maxLength: 2 }), fc.nat(2), (at, put, taken) => {
        const text = good.slice(0, at) + put + good.slice(at + taken);
        const found = parseForwardedCertificate(text);
        if (found === undefined) return;
        expect(text.toLowerCase()).toContain(`hash=${found.hash}`);
        expect(Object.keys(found).toSorted()).toEqual(['certificate', 'hash', 'kind']);
        if (found.certificate !== undefined) expect(text).toContain(`="${found.certificate}`);
      }),
      { numRuns: 1000 },
    );
  });
});
