import { X509Certificate, type KeyObject } from 'node:crypto';
import { formatName } from './distinguished-name.ts';
import {
  DerError,
  DerReader,
  readBoolean,
  readIntegerHex,
  readNamedBits,
  readOid,
  readSmallInteger,
  readTime,
  tags,
} from './der.ts';
import { readAlternativeNames, type AlternativeNames } from './alternative-names.ts';
import { readSignatureHash, type SignatureHash } from './signature-algorithm.ts';

/** A certificate of version 3 (RFC 5280 section 4), taken apart and not verified. Times in milliseconds since the epoch. */
export interface Certificate {
  readonly der: Buffer;
  /** In hex. */
  readonly serial: string;
  /** Names as RFC 2253 writes them, and as they are in hex: what is compared. */
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBefore: number;
  readonly notAfter: number;
  /** Undefined: it is signed in a way that is too weak, or that we do not know. */
  readonly signatureHash: SignatureHash | undefined;
  readonly names: AlternativeNames;
  /** What it may sign, where it is of an authority. */
  readonly authority: { readonly maxBelow: number | undefined } | undefined;
  /** Undefined: any use. */
  readonly keyUsage: ((bit: number) => boolean) | undefined;
  readonly extendedKeyUsage: readonly string[] | undefined;
  /** Extensions that must be understood and are not. */
  readonly notUnderstood: readonly string[];
  readonly publicKey: KeyObject;
  /** OpenSSL's view of the same bytes, which verifies signatures. */
  readonly x509: X509Certificate;
}

export interface Name {
  readonly text: string;
  readonly hex: string;
}

export const extensionIds = {
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** Policies are understood in that none is asked for. Names that constrain others are not evaluated, so they are not understood, critical or not. */
const understood: ReadonlySet<string> = new Set([
  extensionIds.keyUsage,
  extensionIds.alternativeNames,
  extensionIds.basicConstraints,
  extensionIds.certificatePolicies,
  extensionIds.extendedKeyUsage,
]);

/** Takes a certificate apart; undefined where it is none, is of an old version, or has anything twice or in a form that DER does not have. */
export function parseCertificate(der: Uint8Array): Certificate | undefined {
  const bytes = Buffer.from(der);
  try {
    return readCertificate(bytes);
  } catch (error) {
    // What OpenSSL does not take is an Error with a code of its own.
    if (error instanceof DerError || (error instanceof Error && 'code' in error)) return undefined;
    throw error;
  }
}

function readCertificate(der: Buffer): Certificate {
  const file = new DerReader(der);
  const whole = file.into(tags.sequence);
  file.finish();
  const body = whole.into(tags.sequence);
  const algorithm = whole.whole(whole.read(tags.sequence));
  whole.read(tags.bitString);
  whole.finish();
  const version = body.into(0xa0);
  if (readSmallInteger(version.contents(version.read(tags.integer))) !== 2) throw new DerError('not of version 3');
  version.finish();
  const serial = readIntegerHex(body.contents(body.read(tags.integer)));
  if (!body.whole(body.read(tags.sequence)).equals(algorithm)) throw new DerError('two signature algorithms');
  const issuer = readName(body);
  const validity = body.into(tags.sequence);
  const [notBefore, notAfter] = [readNextTime(validity), readNextTime(validity)];
  validity.finish();
  const subject = readName(body);
  body.read(tags.sequence);
  body.readIf(0x81);
  body.readIf(0x82);
  const extensions = readExtensions(body.intoIf(0xa3));
  body.finish();
  const x509 = new X509Certificate(der);
  return {
    der,
    serial,
    issuer,
    subject,
    notBefore,
    notAfter,
    signatureHash: readSignatureHash(algorithm),
    ...readKnownExtensions(extensions),
    publicKey: x509.publicKey,
    x509,
  };
}

export function readNextTime(reader: DerReader): number {
  const time = reader.read();
  return readTime(time.tag, reader.contents(time));
}

export function readName(reader: DerReader): Name {
  const name = reader.read(tags.sequence);
  return { text: formatName(new DerReader(reader.bytes, name)), hex: reader.whole(name).toString('hex') };
}

export interface Extension {
  readonly isCritical: boolean;
  readonly value: Buffer;
}

/** By identifier; none may be there twice. */
export function readExtensions(wrapper: DerReader | undefined): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  const list = wrapper?.into(tags.sequence);
  wrapper?.finish();
  if (list === undefined) return extensions;
  while (!list.isAtEnd) {
    const one = list.into(tags.sequence);
    const id = readOid(one.contents(one.read(tags.oid)));
    const critical = one.readIf(tags.boolean);
    const isCritical = critical !== undefined && readBoolean(one.contents(critical));
    const value = one.contents(one.read(tags.octetString));
    one.finish();
    if (extensions.has(id)) throw new DerError('an extension is there twice');
    extensions.set(id, { isCritical, value });
  }
  return extensions;
}

type KnownExtensions = Pick<Certificate, 'names' | 'authority' | 'keyUsage' | 'extendedKeyUsage' | 'notUnderstood'>;

function readKnownExtensions(extensions: ReadonlyMap<string, Extension>): KnownExtensions {
  const contentsOf = <T>(id: string, tag: number, read: (contents: DerReader) => T): T | undefined => {
    const extension = extensions.get(id);
    if (extension === undefined) return undefined;
    const outer = new DerReader(extension.value);
    const inner = outer.read(tag);
    outer.finish();
    return read(new DerReader(extension.value, inner));
  };
  const names = contentsOf(extensionIds.alternativeNames, tags.sequence, readAlternativeNames);
  const usage = extensions.get(extensionIds.keyUsage);
  return {
    names: names ?? { dns: [], uri: [], email: [] },
    authority: contentsOf(extensionIds.basicConstraints, tags.sequence, readAuthority),
    keyUsage: usage && readUsage(usage.value),
    extendedKeyUsage: contentsOf(extensionIds.extendedKeyUsage, tags.sequence, readUses),
    notUnderstood: [...extensions]
      .filter(([id, { isCritical }]) => (isCritical && !understood.has(id)) || id === extensionIds.nameConstraints)
      .map(([id]) => id),
  };
}

function readAuthority(constraints: DerReader): Certificate['authority'] {
  const flag = constraints.readIf(tags.boolean);
  const isAuthority = flag !== undefined && readBoolean(constraints.contents(flag));
  const bound = constraints.readIf(tags.integer);
  constraints.finish();
  const maxBelow = bound && readSmallInteger(constraints.contents(bound));
  return isAuthority ? { maxBelow } : undefined;
}

function readUsage(value: Buffer): (bit: number) => boolean {
  const outer = new DerReader(value);
  const bits = outer.contents(outer.read(tags.bitString));
  outer.finish();
  return readNamedBits(bits);
}

function readUses(list: DerReader): readonly string[] {
  const uses: string[] = [];
  while (!list.isAtEnd) uses.push(readOid(list.contents(list.read(tags.oid))));
  return uses;
}
