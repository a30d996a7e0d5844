import { keyUsageBits } from './authority.ts';
import type { Certificate } from './certificate.ts';
import { describeUnreadable, readPemBlocks } from './pem-blocks.ts';
import { parseRevocationList, type RevocationList } from './revocation-list.ts';
import { verifySigned } from './signature-algorithm.ts';

export interface Revocation {
  readonly judge: RevocationJudge;
  readonly problems: readonly string[];
}

/**
 * Whether one of the path (the client's first, each behind what it issued) is revoked. The issuer of the client's must have a list that is
 * in force; of the issuers of authorities lists are applied where they are there. Times in milliseconds since the epoch.
 */
export type RevocationJudge = (
  path: readonly Certificate[],
  now: number,
) => { readonly from: number; readonly until: number } | 'revoked' | 'revocation-unknown';

const maxLists = 100;

/**
 * Prepares the PEM lists of a text, each for the authority that signed it; the newest of an authority counts. What cannot be read may be the
 * newest: of its issuer, and where that cannot be read either of all, nothing is known then, so that no older list takes its place.
 */
export function compileRevocation(text: string | undefined, authorities: readonly Certificate[]): Revocation {
  const problems: string[] = [];
  const { blocks, unreadable } = text === undefined ? nothing : readPemBlocks(text, 'X509 CRL');
  if (text !== undefined && blocks.length === 0) problems.push('there is no PEM revocation list (X509 CRL)');
  if (unreadable > 0) problems.push(`${describeUnreadable(unreadable)}, so that nobody is known not to be revoked`);
  if (blocks.length > maxLists) problems.push(`there are more than ${maxLists} revocation lists`);
  const known: Known = {
    lists: new Map(),
    doubted: new Map(),
    isWhole: unreadable === 0 && blocks.length <= maxLists,
  };
  for (const [index, der] of blocks.slice(0, maxLists).entries()) {
    const problem = takeList(der, authorities, known);
    if (problem !== undefined) problems.push(`revocation list ${index + 1} is left out: it ${problem}`);
  }
  return { problems, judge: (path, now) => judgePath(path, known, now) };
}

const nothing = { blocks: [], unreadable: 0 };

interface Known {
  readonly lists: Map<Certificate, RevocationList>;
  /** Of which there is a list that cannot be used, and when that one was made; Infinity where it does not say. */
  readonly doubted: Map<Certificate, number>;
  /** False: there is a list of which not even the issuer is known. */
  isWhole: boolean;
}

/** Why the list is left out, a clause; undefined where it is taken. */
function takeList(der: Buffer, authorities: readonly Certificate[], known: Known): string | undefined {
  const list = parseRevocationList(der);
  const named = authorities.filter(({ subject }) => subject.hex === list.issuer);
  if ('why' in list) {
    if (list.issuer === undefined) known.isWhole = false;
    else if (!list.isDelta) doubt(named, Infinity, known);
    return 'cannot be read, is signed weakly, or does not hold all that is revoked';
  }
  const signers = named.filter((authority) => isSignedBy(list, authority));
  for (const signer of signers) {
    if (list.thisUpdate > (known.lists.get(signer)?.thisUpdate ?? -Infinity)) known.lists.set(signer, list);
  }
  if (signers.length > 0) return undefined;
  doubt(named, list.thisUpdate, known);
  return named.length > 0 ? 'is not signed with the key of its authority' : 'is of no authority that is trusted';
}

function doubt(authorities: readonly Certificate[], since: number, { doubted }: Known): void {
  for (const authority of authorities) {
    doubted.set(authority, Math.max(since, doubted.get(authority) ?? -Infinity));
  }
}

function isSignedBy({ signed }: RevocationList, authority: Certificate): boolean {
  return (
    authority.keyUsage?.(keyUsageBits.listSigning) !== false &&
    verifySigned(signed.hash, signed.body, signed.signature, authority.publicKey)
  );
}

function judgePath(
  path: readonly Certificate[],
  { lists, doubted, isWhole }: Known,
  now: number,
): ReturnType<RevocationJudge> {
  let [from, until] = [-Infinity, Infinity];
  let isUnknown = !isWhole;
  for (const [index, issuer] of path.slice(1).entries()) {
    const list = lists.get(issuer);
    const isInForce = list !== undefined && list.thisUpdate <= now && now < list.nextUpdate;
    if (list?.revoked.has(path[index]?.serial ?? '') === true) return 'revoked';
    if (index === 0 && !isInForce) isUnknown = true;
    if ((doubted.get(issuer) ?? -Infinity) > (list?.thisUpdate ?? -Infinity)) isUnknown = true;
    if (list === undefined) continue;
    if (!isInForce) isUnknown = true;
    from = Math.max(from, list.thisUpdate);
    until = Math.min(until, list.nextUpdate);
  }
  return isUnknown ? 'revocation-unknown' : { from, until };
}
