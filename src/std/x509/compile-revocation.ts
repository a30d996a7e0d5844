import { keyUsageBits } from './authority.ts';
import type { Certificate } from './certificate.ts';
import { readPemBlocks } from './pem-blocks.ts';
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

/** Prepares the PEM lists of a text, each for the authority that signed it; the newest of an authority counts. */
export function compileRevocation(text: string | undefined, authorities: readonly Certificate[]): Revocation {
  const lists = new Map<Certificate, RevocationList>();
  const problems: string[] = [];
  const blocks = text === undefined ? [] : readPemBlocks(text, 'X509 CRL');
  if (text !== undefined && blocks.length === 0) problems.push('there is no PEM revocation list (X509 CRL)');
  if (blocks.length > maxLists) problems.push(`there are more than ${maxLists} revocation lists`);
  for (const [index, der] of blocks.slice(0, maxLists).entries()) {
    const list = parseRevocationList(der);
    const signers = list === undefined ? [] : authorities.filter((authority) => isSignedBy(list, authority));
    for (const signer of signers) {
      if (list !== undefined && list.thisUpdate > (lists.get(signer)?.thisUpdate ?? -Infinity)) lists.set(signer, list);
    }
    const place = `revocation list ${index + 1} is left out: it`;
    if (list === undefined)
      problems.push(`${place} cannot be read, is signed weakly, or does not hold all that is revoked`);
    else if (signers.length === 0) problems.push(`${place} is of no authority that is trusted`);
  }
  return { problems, judge: (path, now) => judgePath(path, lists, now) };
}

function isSignedBy({ issuer, signed }: RevocationList, authority: Certificate): boolean {
  return (
    issuer === authority.subject.hex &&
    authority.keyUsage?.(keyUsageBits.listSigning) !== false &&
    verifySigned(signed.hash, signed.body, signed.signature, authority.publicKey)
  );
}

function judgePath(
  path: readonly Certificate[],
  lists: ReadonlyMap<Certificate, RevocationList>,
  now: number,
): ReturnType<RevocationJudge> {
  let [from, until] = [-Infinity, Infinity];
  let isUnknown = false;
  for (const [index, issuer] of path.slice(1).entries()) {
    const list = lists.get(issuer);
    const isInForce = list !== undefined && list.thisUpdate <= now && now < list.nextUpdate;
    if (list?.revoked.has(path[index]?.serial ?? '') === true) return 'revoked';
    if (index === 0 && !isInForce) isUnknown = true;
    if (list === undefined) continue;
    if (!isInForce) isUnknown = true;
    from = Math.max(from, list.thisUpdate);
    until = Math.min(until, list.nextUpdate);
  }
  return isUnknown ? 'revocation-unknown' : { from, until };
}
