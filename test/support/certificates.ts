import { generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto';

/** A certificate and its key, both PEM; made for tests and trusted nowhere else. */
export interface TestPair {
  readonly certificate: string;
  readonly key: string;
}

export interface TestAuthority extends TestPair {
  issue(options?: IssueOptions): TestPair;
}

export interface IssueOptions {
  /** The common name; `portcullis` where it is not given. */
  readonly name?: string;
  /** Milliseconds since the epoch; an hour ago, and in a day, where they are not given. */
  readonly from?: number;
  readonly to?: number;
  /** What it may be used for; both where it is not given. */
  readonly use?: 'server' | 'client';
}

const hour = 3_600_000;

/** A root of P-256 and what it issues, all for the names `localhost` and `portcullis.example` and the address 127.0.0.1 (RFC 5280). */
export function createAuthority(
  name = 'test root',
  { from = Date.now() - hour, to = Date.now() + 48 * hour } = {},
): TestAuthority {
  const keys = newKeys();
  const root = pairOf(
    keys.privateKey,
    certificateOf({ name, issuer: name, from, to, extensions: rootExtensions }, keys.publicKey, keys.privateKey),
  );
  return {
    ...root,
    issue({
      name: subject = 'portcullis',
      from: start = Date.now() - hour,
      to: end = Date.now() + 24 * hour,
      use,
    } = {}) {
      const own = newKeys();
      const extensions = leafExtensions(use);
      return pairOf(
        own.privateKey,
        certificateOf(
          { name: subject, issuer: name, from: start, to: end, extensions },
          own.publicKey,
          keys.privateKey,
        ),
      );
    },
  };
}

/** When the certificate ends, milliseconds since the epoch. */
export function endOf(certificate: string): number {
  return new X509Certificate(certificate).validToDate.getTime();
}

function newKeys(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

export function pairOf(privateKey: KeyObject, der: Buffer): TestPair {
  const body = (der.toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

interface Facts {
  readonly name: string;
  readonly issuer: string;
  readonly from: number;
  readonly to: number;
  readonly extensions: readonly Buffer[];
}

function certificateOf(
  { name, issuer, from, to, extensions }: Facts,
  publicKey: KeyObject,
  issuerKey: KeyObject,
): Buffer {
  const algorithm = sequence(oid('2a8648ce3d040302'));
  const serial = der(0x02, Buffer.concat([Buffer.of(1), randomBytes(15)]));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    serial,
    algorithm,
    nameOf(issuer),
    sequence(time(from), time(to)),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  return sequence(body, algorithm, bits(sign('sha256', body, issuerKey)));
}

const yes = der(0x01, Buffer.of(0xff));
const rootExtensions = [
  extension('551d13', true, sequence(yes)),
  extension('551d0f', true, der(0x03, Buffer.of(1, 0x06))),
];

function leafExtensions(use: IssueOptions['use']): readonly Buffer[] {
  const [server, client] = [oid('2b06010505070301'), oid('2b06010505070302')];
  const uses = use === 'server' ? [server] : use === 'client' ? [client] : [server, client];
  const names = ['localhost', 'portcullis.example'].map((text) => der(0x82, Buffer.from(text)));
  return [
    extension('551d11', false, sequence(...names, der(0x87, Buffer.of(127, 0, 0, 1)))),
    extension('551d25', false, sequence(...uses)),
  ];
}

export function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(isCritical ? [yes] : []), der(0x04, value));
}

export function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
}

/** GeneralizedTime; in whole seconds. */
export function time(ms: number): Buffer {
  return der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

export function bits(value: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.of(0), value]));
}

/** By the bytes of the identifier. */
export function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

export function der(tag: number, value: Uint8Array): Buffer {
  const { length } = value;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), value]);
}
