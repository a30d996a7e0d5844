import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCertificate, type Certificate } from '../../../src/std/x509/certificate.ts';
import {
  DerError,
  DerReader,
  readBoolean,
  readIntegerHex,
  readNamedBits,
  readOid,
  readSmallInteger,
  readTime,
  readWholeBits,
  tags,
} from '../../../src/std/x509/der.ts';
import { readPemBlocks } from '../../../src/std/x509/pem-blocks.ts';
import { readCertificateText } from '../../../src/std/x509/read-certificate-text.ts';
import { parseRevocationList } from '../../../src/std/x509/revocation-list.ts';
import { asEnvoySends, createClientAuthority } from '../../support/client-certificates.ts';

const root = createClientAuthority(Date.UTC(2026, 0, 1));
const leaf = root.issue({ uri: ['spiffe://cluster.local/ns/shop/sa/web'], dns: ['a.example'], email: ['a@b.example'] });
const [list = Buffer.alloc(0)] = readPemBlocks(root.revoke(['0a', '0b0c']), 'X509 CRL').blocks;

/** The bytes with some of them changed, put in or taken out. */
function changed(original: Buffer): fc.Arbitrary<Buffer> {
  const edit = fc.tuple(fc.nat(original.length - 1), fc.nat(2), fc.uint8Array({ maxLength: 3 }));
  return fc
    .array(edit, { minLength: 1, maxLength: 3 })
    .map((edits) =>
      edits.reduce<Buffer>(
        (bytes, [at, taken, put]) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + taken)]),
        original,
      ),
    );
}

const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

/** What a reader gives, or undefined where it refuses as it should; anything else that is thrown fails the test. */
function readOrRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.of(size);
  const hex = size.toString(16);
  const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.of(0x80 | octets.length), octets]);
}

describe('elements of DER', () => {
  test('lie one behind the other within what is around them, and are written in no other way', () => {
    fc.assert(
      fc.property(fc.oneof(anyBytes, changed(leaf.der)), (bytes) => {
        const reader = new DerReader(bytes);
        let at = 0;
        readOrRefused(() => {
          while (!reader.isAtEnd) {
            const element = reader.read();
            expect([element.from, element.end <= bytes.length]).toEqual([at, true]);
            const written = Buffer.concat([
              Buffer.of(element.tag),
              length(element.end - element.start),
              reader.contents(element),
            ]);
            expect(reader.whole(element)).toEqual(written);
            at = element.end;
          }
        });
      }),
      { numRuns: 1000 },
    );
  });

  test('of every kind are read or refused, and a value has one spelling', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 20 }),
        fc.constantFrom(tags.utcTime, tags.generalizedTime),
        (octets, tag) => {
          const bytes = Buffer.from(octets);
          const truth = readOrRefused(() => readBoolean(bytes));
          if (truth !== undefined) expect(bytes).toEqual(Buffer.of(truth ? 0xff : 0));
          const number = readOrRefused(() => readSmallInteger(bytes));
          if (number !== undefined) {
            const hex = number.toString(16).padStart(2, '0');
            expect(Number.parseInt(bytes.toString('hex'), 16)).toBe(number);
            expect(bytes.length).toBeLessThanOrEqual(hex.length / 2 + 1);
          }
          const hex = readOrRefused(() => readIntegerHex(bytes));
          if (hex !== undefined) expect(hex).toBe(bytes.toString('hex'));
          const oid = readOrRefused(() => readOid(bytes));
          if (oid !== undefined) expect(oid).toMatch(/^[012](\.\d+)+$/);
          const time = readOrRefused(() => readTime(tag, bytes));
          if (time !== undefined) expect(Number.isFinite(time)).toBe(true);
          const bits = readOrRefused(() => readWholeBits(bytes));
          if (bits !== undefined) expect(bits).toEqual(bytes.subarray(1));
          const named = readOrRefused(() => readNamedBits(bytes));
          if (named !== undefined)
            expect([0, 7, 8, 63, 64, 1000].map(named).every((bit) => typeof bit === 'boolean')).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('that are times are the times that they say', () => {
    const when = fc.date({
      min: new Date('1950-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(when, (date) => {
        const whole = Math.floor(date.getTime() / 1000) * 1000;
        const text = `${new Date(whole).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
        expect(readTime(tags.generalizedTime, Buffer.from(text))).toBe(whole);
        const isShort = date.getUTCFullYear() < 2050;
        if (isShort) expect(readTime(tags.utcTime, Buffer.from(text.slice(2)))).toBe(whole);
        expect(readOrRefused(() => readTime(tags.generalizedTime, Buffer.from(text.slice(0, -1))))).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});

/** What OpenSSL reads of the same bytes. */
function comparable(certificate: Certificate): unknown {
  const { serial, notBefore, notAfter, names } = certificate;
  const alternatives = [
    ...names.dns.map((name) => `DNS:${name}`),
    ...names.uri.map((name) => `URI:${name}`),
    ...names.email.map((name) => `email:${name}`),
  ];
  return {
    serial: serial.replace(/^00(?=.)/, '').toUpperCase(),
    notBefore,
    notAfter,
    alternatives: alternatives.toSorted(),
  };
}

function opensslOf(der: Buffer): unknown {
  const { serialNumber, validFromDate, validToDate, subjectAltName = '' } = new X509Certificate(der);
  // Node quotes a name that could be taken for several.
  const alternatives = [...subjectAltName.matchAll(/(DNS|URI|email):("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(
    ([, kind, name = '']) => `${kind}:${name.startsWith('"') ? String(JSON.parse(name)) : name}`,
  );
  return {
    serial: serialNumber,
    notBefore: validFromDate.getTime(),
    notAfter: validToDate.getTime(),
    alternatives: alternatives.toSorted(),
  };
}

describe('a certificate', () => {
  test('is read as OpenSSL reads it, or not at all', () => {
    expect(comparable(parseCertificate(leaf.der) ?? expect.unreachable())).toEqual(opensslOf(leaf.der));
    let read = 0;
    fc.assert(
      fc.property(changed(leaf.der), (bytes) => {
        const certificate = parseCertificate(bytes);
        if (certificate === undefined) return;
        read += 1;
        expect(certificate.der).toEqual(bytes);
        if (!certificate.serial.startsWith('8') && Number.parseInt(certificate.serial.slice(0, 2), 16) < 0x80)
          expect(comparable(certificate)).toEqual(opensslOf(bytes));
      }),
      { numRuns: 5000 },
    );
    expect(read).toBeGreaterThan(50);
  });

  test('with a name of no kind is none', () => {
    const at = leaf.der.indexOf(Buffer.from('a.example')) - 2;
    expect(leaf.der[at]).toBe(0x82);
    const withTag = (tag: number): Buffer =>
      Buffer.concat([leaf.der.subarray(0, at), Buffer.of(tag), leaf.der.subarray(at + 1)]);
    expect([0x21, 0x02, 0x89, 0xa2].map((tag) => parseCertificate(withTag(tag)))).toEqual(Array(4).fill(undefined));
    expect([0x82, 0x87, 0x88, 0xa0].map((tag) => parseCertificate(withTag(tag))?.names.dns)).toEqual([
      ['a.example'],
      [],
      [],
      [],
    ]);
  });

  test('of any bytes is none', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(parseCertificate(bytes)).toBeUndefined();
        expect(parseRevocationList(bytes)).toMatchObject({ why: 'unusable' });
      }),
      { numRuns: 500 },
    );
  });

  test('as a proxy sends it is read as the one that was sent, or not at all', () => {
    const sent = asEnvoySends(leaf.certificate);
    expect(Buffer.from(readCertificateText(sent) ?? [])).toEqual(leaf.der);
    fc.assert(
      fc.property(
        fc.nat(sent.length - 1),
        fc.string({ unit: 'binary-ascii', maxLength: 3 }),
        fc.nat(3),
        (at, put, taken) => {
          const text = sent.slice(0, at) + put + sent.slice(at + taken);
          const der = readCertificateText(text);
          if (der === undefined) return;
          const pem = decodeURIComponent(text);
          const lines = pem.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
          expect(Buffer.from(lines.join(''), 'base64')).toEqual(Buffer.from(der));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

test('a list of revoked certificates names what it names, or is none', () => {
  expect(parseRevocationList(list)).toMatchObject({ revoked: new Set(['0a', '0b0c']) });
  fc.assert(
    fc.property(changed(list), (bytes) => {
      const parsed = parseRevocationList(bytes);
      if ('why' in parsed) return;
      const { body, signature } = parsed.signed;
      expect([
        bytes.includes(body),
        bytes.includes(signature),
        bytes.includes(Buffer.from(parsed.issuer, 'hex')),
      ]).toEqual([true, true, true]);
      for (const serial of parsed.revoked) expect(body.includes(Buffer.from(serial, 'hex'))).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
