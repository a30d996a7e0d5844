import { readExtensions, readName, readNextTime } from './certificate.ts';
import { DerError, DerReader, readIntegerHex, readSmallInteger, readWholeBits, tags } from './der.ts';
import { readSignatureHash, type SignatureHash } from './signature-algorithm.ts';

/** RFC 5280 5.2.4. */
const deltaIndicator = '2.5.29.27';

/** A list of revoked certificates (RFC 5280 section 5), taken apart; its signature has not been looked at. Times in milliseconds since the epoch. */
export interface RevocationList {
  /** The name of the authority, as it is, in hex. */
  readonly issuer: string;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Serial numbers in hex. */
  readonly revoked: ReadonlySet<string>;
  readonly signed: { readonly body: Buffer; readonly signature: Buffer; readonly hash: SignatureHash };
}

/** A list that cannot be used. `issuer` is undefined where not even that can be read; only changes (a delta) take nothing from the whole list. */
export interface UnusableList {
  readonly why: 'unusable';
  readonly issuer: string | undefined;
  readonly isDelta: boolean;
}

/**
 * Unusable where it is no list of version 2, does not say when the next one comes, is signed weakly, or says something critical that we
 * do not understand: that it holds only some of the revoked certificates, only changes, or those of other issuers.
 */
export function parseRevocationList(der: Buffer): RevocationList | UnusableList {
  const seen: Seen = { issuer: undefined };
  try {
    return readList(der, seen);
  } catch (error) {
    if (error instanceof DerError) return unusable(seen.issuer);
    throw error;
  }
}

/** What was read before something could not be. */
interface Seen {
  issuer: string | undefined;
}

function unusable(issuer: string | undefined, isDelta = false): UnusableList {
  return { why: 'unusable', issuer, isDelta };
}

function readList(der: Buffer, seen: Seen): RevocationList | UnusableList {
  const file = new DerReader(der);
  const whole = file.into(tags.sequence);
  file.finish();
  const signedPart = whole.read(tags.sequence);
  const algorithm = whole.whole(whole.read(tags.sequence));
  const signature = readWholeBits(whole.contents(whole.read(tags.bitString)));
  whole.finish();
  const body = new DerReader(der, signedPart);
  if (readSmallInteger(body.contents(body.read(tags.integer))) !== 1) throw new DerError('not of version 2');
  if (!body.whole(body.read(tags.sequence)).equals(algorithm)) throw new DerError('two signature algorithms');
  const issuer = readName(body).hex;
  seen.issuer = issuer;
  const [thisUpdate, nextUpdate] = [readNextTime(body), readNextTime(body)];
  const entries = body.intoIf(tags.sequence);
  const revoked = entries === undefined ? new Set<string>() : readEntries(entries);
  const extensions = readExtensions(body.intoIf(0xa0));
  body.finish();
  const hash = readSignatureHash(algorithm);
  const isUnderstood = ![...extensions.values()].some(({ isCritical }) => isCritical);
  if (!isUnderstood || hash === undefined) return unusable(issuer, extensions.has(deltaIndicator));
  return { issuer, thisUpdate, nextUpdate, revoked, signed: { body: whole.whole(signedPart), signature, hash } };
}

function readEntries(entries: DerReader): ReadonlySet<string> {
  const revoked = new Set<string>();
  while (!entries.isAtEnd) {
    const entry = entries.into(tags.sequence);
    const serial = readIntegerHex(entry.contents(entry.read(tags.integer)));
    readNextTime(entry);
    const rest = entry.readIf(tags.sequence);
    entry.finish();
    if (rest !== undefined && hasCritical(new DerReader(entry.bytes, rest)))
      throw new DerError('an entry says what we do not understand');
    revoked.add(serial);
  }
  return revoked;
}

function hasCritical(list: DerReader): boolean {
  while (!list.isAtEnd) {
    const one = list.into(tags.sequence);
    one.read(tags.oid);
    if (one.readIf(tags.boolean) !== undefined) return true;
  }
  return false;
}
