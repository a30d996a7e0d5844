import { parseCertificate, type Certificate } from './certificate.ts';
import { describeUnreadable, readPemBlocks } from './pem-blocks.ts';
import { isStrongKey } from './signature-algorithm.ts';

/** A certificate of an authority that somebody trusts, and every way from it to the end of trust: itself first. */
export interface Authority {
  readonly certificate: Certificate;
  readonly paths: readonly AuthorityPath[];
}

/** Every authority of it may have issued the one before. Times in milliseconds since the epoch: when all are valid. */
export interface AuthorityPath {
  readonly authorities: readonly Certificate[];
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface AuthorityBundle {
  readonly authorities: readonly Authority[];
  /** Why some of the text are not used, a clause each. */
  readonly problems: readonly string[];
}

/** Whoever writes a bundle must not keep everybody waiting: authorities of one name are all tried, and paths may fork at each. */
const maxAuthorities = 100;
const maxOfOneName = 8;
const maxDepth = 8;
const maxPaths = 32;
/** Of the search for the paths of one. */
const maxSteps = 500;

export const keyUsageBits = { digitalSignature: 0, certificateSigning: 5, listSigning: 6 } as const;
export const clientAuthentication = '1.3.6.1.5.5.7.3.2';

/**
 * Reads the PEM certificates of a text. Trust ends at one that issued itself, or whose issuer's name is not in the text: whoever writes it
 * there trusts it. Where something in the text cannot be read, only the former: what cannot be read may be the issuer that says less.
 */
export function readAuthorities(text: string): AuthorityBundle {
  const { blocks, unreadable } = readPemBlocks(text, 'CERTIFICATE');
  const problems: string[] = [];
  if (blocks.length === 0) problems.push('there is no PEM certificate');
  if (unreadable > 0) problems.push(describeUnreadable(unreadable));
  if (blocks.length > maxAuthorities) problems.push(`there are more than ${maxAuthorities} certificates`);
  const all: Certificate[] = [];
  const good = new Set<Certificate>();
  for (const [index, der] of blocks.slice(0, maxAuthorities).entries()) {
    const certificate = parseCertificate(der);
    if (certificate !== undefined) all.push(certificate);
    const twins = all.filter((other) => other.subject.hex === certificate?.subject.hex).length;
    const objection =
      certificate === undefined
        ? 'it cannot be read'
        : twins > maxOfOneName
          ? `there are more than ${maxOfOneName} of its name`
          : judgeAuthority(certificate);
    if (objection !== undefined) problems.push(`certificate ${index + 1} is left out: ${objection}`);
    else if (certificate !== undefined) good.add(certificate);
  }
  const isWhole = all.length === blocks.length && unreadable === 0;
  const issuers = new Map<Certificate, readonly Certificate[]>();
  let isCutShort = false;
  const authorities = [...good].map((certificate): Authority => {
    const known: Known = { all, good, isWhole, issuers, stepsLeft: maxSteps };
    const paths = findPaths([certificate], known).slice(0, maxPaths);
    isCutShort ||= known.stepsLeft < 0;
    return { certificate, paths };
  });
  if (isCutShort) problems.push('the certificates lead to one another in too many ways: some are not followed');
  return { authorities: authorities.filter(({ paths }) => paths.length > 0), problems };
}

function judgeAuthority(certificate: Certificate): string | undefined {
  const { authority, keyUsage, extendedKeyUsage, notUnderstood, publicKey } = certificate;
  if (authority === undefined) return 'it is not of an authority (basicConstraints)';
  if (keyUsage !== undefined && !keyUsage(keyUsageBits.certificateSigning))
    return 'its key may not sign certificates (keyUsage)';
  if (extendedKeyUsage?.includes(clientAuthentication) === false) return 'it is not for clients (extendedKeyUsage)';
  if (notUnderstood.length > 0) return `its extension ${notUnderstood.join(', ')} is not supported`;
  return isStrongKey(publicKey) ? undefined : 'its key is too weak';
}

interface Known {
  readonly all: readonly Certificate[];
  readonly good: ReadonlySet<Certificate>;
  /** All of the text could be read. */
  readonly isWhole: boolean;
  /** Of those of which it is known: the good ones that issued it. */
  readonly issuers: Map<Certificate, readonly Certificate[]>;
  stepsLeft: number;
}

/** All ways on from the last of the path, which are none where they lead nowhere. */
function findPaths(path: readonly Certificate[], known: Known): AuthorityPath[] {
  const last = path.at(-1);
  known.stepsLeft -= 1;
  if (known.stepsLeft < 0) return [];
  if (last === undefined || path.length > maxDepth || !isLongEnough(path)) return [];
  if (isSelfIssued(last)) return [toPath(path)];
  // By name alone: one that is of no use as an issuer does not make an end of trust of what it issued.
  const named = known.all.filter((other) => other !== last && other.subject.hex === last.issuer.hex);
  if (named.length === 0) return known.isWhole ? [toPath(path)] : [];
  if (last.signatureHash === undefined) return [];
  const issuers =
    known.issuers.get(last) ?? named.filter((issuer) => known.good.has(issuer) && isIssuedBy(last, issuer));
  known.issuers.set(last, issuers);
  const paths: AuthorityPath[] = [];
  for (const issuer of issuers) {
    if (!path.includes(issuer)) paths.push(...findPaths([...path, issuer], known));
    if (paths.length >= maxPaths) break;
  }
  return paths;
}

function isSelfIssued({ subject, issuer }: Certificate): boolean {
  return subject.hex === issuer.hex;
}

/** RFC 5280 4.2.1.9: how many authorities, those that issued themselves not counted, may stand below the last of the path. */
function isLongEnough(path: readonly Certificate[]): boolean {
  const below = path.slice(0, -1).filter((authority) => !isSelfIssued(authority)).length;
  return below <= (path.at(-1)?.authority?.maxBelow ?? Infinity);
}

function toPath(authorities: readonly Certificate[]): AuthorityPath {
  return {
    authorities,
    notBefore: Math.max(...authorities.map(({ notBefore }) => notBefore)),
    notAfter: Math.min(...authorities.map(({ notAfter }) => notAfter)),
  };
}

/** By name, by key identifier and use where they are there, and by the signature. */
export function isIssuedBy(certificate: Certificate, authority: Certificate): boolean {
  return (
    certificate.issuer.hex === authority.subject.hex &&
    certificate.x509.checkIssued(authority.x509) &&
    certificate.x509.verify(authority.publicKey)
  );
}
