import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { bits, der, extension, nameOf, oid, pairOf, sequence, time, type TestPair } from './certificates.ts';

/** What a certificate says, every part of which a test may choose, also wrongly. */
export interface CertificateParts {
  readonly name?: string;
  readonly from?: number;
  readonly to?: number;
  readonly uri?: readonly string[];
  readonly dns?: readonly string[];
  readonly email?: readonly string[];
  /** Undefined: no basicConstraints. */
  readonly authority?: { readonly maxBelow?: number } | undefined;
  /** The octets of the BIT STRING; undefined: no keyUsage. */
  readonly keyUsage?: readonly number[] | undefined;
  /** In hex; undefined: no extendedKeyUsage. */
  readonly uses?: readonly string[] | undefined;
  /** As they stand in the certificate, behind the others. */
  readonly more?: readonly Buffer[];
  readonly keys?: KeyPair;
  /** Of the signature; SHA-256 where it is not given. */
  readonly hash?: 'sha1' | 'sha256';
}

export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export interface ClientAuthority extends TestPair {
  readonly der: Buffer;
  issue(parts?: CertificateParts): TestPair & { readonly der: Buffer; readonly serial: string };
  /** An authority below this one. */
  below(parts?: CertificateParts): ClientAuthority;
  /** The PEM of a list of the certificates with these serial numbers (hex). */
  revoke(serials: readonly string[], options?: RevocationParts): string;
}

export interface RevocationParts {
  readonly thisUpdate?: number;
  readonly nextUpdate?: number;
  readonly extensions?: readonly Buffer[];
  readonly entryExtensions?: readonly Buffer[];
  readonly signWith?: KeyPair;
}

export const clientUse = '2b06010505070302';
export const serverUse = '2b06010505070301';
const yes = der(0x01, Buffer.of(0xff));

export function ecKeys(namedCurve = 'P-256'): KeyPair {
  return generateKeyPairSync('ec', { namedCurve });
}

/** A root and what it issues for clients, valid for the two days around `now` (milliseconds since the epoch). */
export function createClientAuthority(now: number, parts: CertificateParts = {}): ClientAuthority {
  const keys = parts.keys ?? ecKeys();
  const name = parts.name ?? 'client root';
  return authorityOf(now, { ...parts, name, keys }, { name, keys });
}

interface Issuer {
  readonly name: string;
  readonly keys: KeyPair;
}

function authorityOf(now: number, parts: CertificateParts & Issuer, issuer: Issuer): ClientAuthority {
  const own = { authority: {}, keyUsage: [1, 0x06], ...parts };
  const bytes = certificateOf(now, own, issuer).der;
  return {
    ...pairOf(parts.keys.privateKey, bytes),
    der: bytes,
    issue: (leaf = {}) => {
      const keys = leaf.keys ?? ecKeys();
      const { der: made, serial } = certificateOf(
        now,
        { name: 'client', keyUsage: [7, 0x80], uses: [clientUse], ...leaf, keys },
        parts,
      );
      return { ...pairOf(keys.privateKey, made), der: made, serial };
    },
    below: (child = {}) =>
      authorityOf(now, { ...child, name: child.name ?? 'client intermediate', keys: child.keys ?? ecKeys() }, parts),
    revoke: (serials, options) => revocationList(now, parts, serials, options),
  };
}

/** The certificate as Envoy sends it: URL-encoded PEM. */
export function asEnvoySends(pem: string): string {
  return pem.replaceAll(
    /[\n +/=]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

const ecdsa = { sha1: '2a8648ce3d0401', sha256: '2a8648ce3d040302' };
const rsa = { sha1: '2a864886f70d010105', sha256: '2a864886f70d01010b' };

function algorithmOf({ privateKey }: KeyPair, hash: 'sha1' | 'sha256'): Buffer {
  return privateKey.asymmetricKeyType === 'rsa'
    ? sequence(oid(rsa[hash]), der(0x05, Buffer.alloc(0)))
    : sequence(oid(ecdsa[hash]));
}

function certificateOf(
  now: number,
  parts: CertificateParts & Issuer,
  issuer: Issuer,
): { readonly der: Buffer; readonly serial: string } {
  const hash = parts.hash ?? 'sha256';
  const algorithm = algorithmOf(issuer.keys, hash);
  const serial = Buffer.concat([Buffer.of(1), randomBytes(15)]);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, serial),
    algorithm,
    nameOf(issuer.name),
    sequence(time(parts.from ?? now - 86_400_000), time(parts.to ?? now + 86_400_000)),
    nameOf(parts.name),
    parts.keys.publicKey.export({ type: 'spki', format: 'der' }),
    ...extensionsOf(parts),
  );
  const signature = sign(hash, body, issuer.keys.privateKey);
  return { der: sequence(body, algorithm, bits(signature)), serial: serial.toString('hex') };
}

function extensionsOf({
  uri = [],
  dns = [],
  email = [],
  authority,
  keyUsage,
  uses,
  more = [],
}: CertificateParts): Buffer[] {
  const bound = authority?.maxBelow === undefined ? [] : [der(0x02, Buffer.of(authority.maxBelow))];
  const names = [
    ...email.map((text) => der(0x81, Buffer.from(text))),
    ...dns.map((text) => der(0x82, Buffer.from(text))),
    ...uri.map((text) => der(0x86, Buffer.from(text))),
  ];
  const all = [
    ...(authority === undefined ? [] : [extension('551d13', true, sequence(yes, ...bound))]),
    ...(keyUsage === undefined ? [] : [extension('551d0f', true, der(0x03, Buffer.from(keyUsage)))]),
    ...(uses === undefined ? [] : [extension('551d25', false, sequence(...uses.map(oid)))]),
    ...(names.length === 0 ? [] : [extension('551d11', false, sequence(...names))]),
    ...more,
  ];
  return all.length === 0 ? [] : [der(0xa3, sequence(...all))];
}

function revocationList(
  now: number,
  { name, keys }: Issuer,
  serials: readonly string[],
  {
    thisUpdate = now - 3_600_000,
    nextUpdate = now + 3_600_000,
    extensions = [],
    entryExtensions = [],
    signWith = keys,
  }: RevocationParts = {},
): string {
  const algorithm = algorithmOf(keys, 'sha256');
  const entries = serials.map((serial) =>
    sequence(
      der(0x02, Buffer.from(serial, 'hex')),
      time(thisUpdate),
      ...(entryExtensions.length === 0 ? [] : [sequence(...entryExtensions)]),
    ),
  );
  const body = sequence(
    der(0x02, Buffer.of(1)),
    algorithm,
    nameOf(name),
    time(thisUpdate),
    time(nextUpdate),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    ...(extensions.length === 0 ? [] : [der(0xa0, sequence(...extensions))]),
  );
  const list = sequence(body, algorithm, bits(sign('sha256', body, signWith.privateKey)));
  return `-----BEGIN X509 CRL-----\n${(list.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END X509 CRL-----\n`;
}
