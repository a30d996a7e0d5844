import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { judgeTls } from '../../../src/runtime/tls-judge.ts';
import type { TlsTexts } from '../../../src/runtime/tls-files.ts';
import { createAuthority, endOf } from '../../support/certificates.ts';
import { testCertificate, testCertificateKey, weakPair } from './test-certificate.ts';

const now = Date.UTC(2026, 10, 21);
const day = 86_400_000;
const authority = createAuthority('root', { from: now - 10 * day, to: now + 10 * day });
const other = createAuthority('other', { from: now - 10 * day, to: now + 5 * day });
const past = createAuthority('past', { from: now - 10 * day, to: now - day });
const pair = authority.issue({ from: now - day, to: now + day });
const another = authority.issue({ from: now - day, to: now + day });

const texts = (changes: Partial<TlsTexts> = {}): TlsTexts => ({ ...pair, clientCa: undefined, ...changes });
const judge = (changes: Partial<TlsTexts> = {}, at = now) => judgeTls(texts(changes), 'TLSv1.2', at);

/** `file why`, or `good`. */
function outline(changes: Partial<TlsTexts>, at?: number): string {
  const judged = judge(changes, at);
  return judged.kind === 'good' ? 'good' : `${judged.file} ${judged.why}`;
}

describe('a pair that fits is good', () => {
  test('and says what it is, when it ends, and whom of its clients it believes', () => {
    expect(judge()).toEqual({
      kind: 'good',
      identity: { ...pair, clientCas: undefined },
      fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
      endsAt: now + day,
      clientCaEndsAt: undefined,
    });
  });

  test('with its issuers behind it', () => {
    expect(outline({ certificate: `leaf of ours\n${pair.certificate}\nissuer\n${authority.certificate}` })).toBe(
      'good',
    );
  });

  test('of another kind of key, or with line ends of Windows', () => {
    expect(outline({ certificate: testCertificate, key: testCertificateKey }, Date.UTC(2030, 0))).toBe('good');
    expect(
      outline({ certificate: pair.certificate.replaceAll('\n', '\r\n'), key: pair.key.replaceAll('\n', '\r\n') }),
    ).toBe('good');
  });

  test('with several issuers of clients, one of which may be past its end', () => {
    const judged = judge({ clientCa: `${past.certificate}${authority.certificate}${other.certificate}` });
    expect(judged).toMatchObject({ kind: 'good', clientCaEndsAt: now + 5 * day });
    expect(judged.kind === 'good' && judged.identity.clientCas?.length).toBe(3);
  });

  test('up to the second of its end', () => {
    const end = endOf(pair.certificate);
    expect([outline({}, end - 1), outline({}, end)]).toEqual([
      'good',
      'certificate has expired on 2026-11-22T00:00:00.000Z',
    ]);
  });
});

describe('what cannot be served with is refused by the file', () => {
  const unreadable = 'holds no certificate in PEM, or one that cannot be read';
  const encrypted = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
  }).privateKey;
  const cut = pair.certificate.slice(0, 200);
  const noise = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

  test.each<[string, Partial<TlsTexts>, string]>([
    [
      'a half rotated pair',
      { key: another.key },
      'key is not the key of the first certificate: the pair is half rotated, or of two different pairs',
    ],
    [
      'the issuer before the leaf',
      { certificate: authority.certificate + pair.certificate },
      'key is not the key of the first certificate: the pair is half rotated, or of two different pairs',
    ],
    ['an empty certificate', { certificate: '' }, `certificate ${unreadable}`],
    ['a certificate that is cut off', { certificate: cut }, `certificate ${unreadable}`],
    ['a chain that is cut off', { certificate: pair.certificate + cut }, `certificate ${unreadable}`],
    ['a certificate that is noise', { certificate: noise }, `certificate ${unreadable}`],
    ['a key in place of the certificate', { certificate: pair.key }, `certificate ${unreadable}`],
    ['an empty key', { key: '' }, 'key holds no private key in PEM, or one with a passphrase'],
    [
      'a key that is cut off',
      { key: pair.key.slice(0, 100) },
      'key holds no private key in PEM, or one with a passphrase',
    ],
    ['a key with a passphrase', { key: encrypted }, 'key holds no private key in PEM, or one with a passphrase'],
    ['an empty list of issuers', { clientCa: '' }, `clientCa ${unreadable}`],
    ['a list of issuers that is cut off', { clientCa: authority.certificate + cut }, `clientCa ${unreadable}`],
    [
      'only issuers past their end',
      { clientCa: past.certificate },
      'clientCa holds only certificates that have expired',
    ],
  ])('%s', (_title, changes, expected) => {
    expect(outline(changes)).toBe(expected);
  });

  test('a certificate past its end, or before its beginning', () => {
    expect(outline({}, now + 2 * day)).toBe('certificate has expired on 2026-11-22T00:00:00.000Z');
    expect(outline({}, now - 2 * day)).toBe('certificate is not valid before 2026-11-20T00:00:00.000Z');
  });

  test('a key too weak for OpenSSL, by its code', () => {
    expect(outline(weakPair, Date.UTC(2030, 0))).toMatch(
      /^certificate or its key is refused by OpenSSL \(ERR_[A-Z_]+\)$/,
    );
  });

  test('and never with a word of the key', () => {
    const key = pair.key.replace('PRIVATE', 'PUBLIC');
    expect(outline({ key })).toBe('key holds no private key in PEM, or one with a passphrase');
  });
});
