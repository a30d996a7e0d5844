import { clientAuthentication, isIssuedBy, keyUsageBits, readAuthorities, type AuthorityPath } from './authority.ts';
import type { Certificate } from './certificate.ts';
import { compileRevocation, type RevocationJudge } from './compile-revocation.ts';
import { isStrongKey } from './signature-algorithm.ts';

/** Whom clients' certificates must come from, prepared. */
export interface Trust {
  /** Authorities that can be used. */
  readonly authorities: number;
  /** What of the texts cannot be used, a clause each. */
  readonly problems: readonly string[];
  /** Judges the certificate of a client; `now` in milliseconds since the epoch. */
  judge(certificate: Certificate, now: number): TrustVerdict;
}

/** `from` and `until`: while the verdict stays as it is, milliseconds since the epoch. */
export type TrustVerdict =
  | { readonly kind: 'trusted'; readonly from: number; readonly until: number }
  | { readonly kind: 'refused'; readonly why: TrustRefusal };

export type TrustRefusal =
  | 'not-for-clients'
  | 'weak'
  | 'not-understood'
  | 'untrusted'
  | 'expired'
  | 'not-yet-valid'
  | 'revoked'
  | 'revocation-unknown';

/** Compiles the PEM certificates to trust and, where there is to be one, the list of those that are revoked; `revoked` undefined: none is asked. */
export function compileTrust(text: string, revoked: { readonly text: string | undefined } | undefined): Trust {
  const { authorities, problems } = readAuthorities(text);
  const lists =
    revoked &&
    compileRevocation(
      revoked.text,
      authorities.map(({ certificate }) => certificate),
    );
  return {
    authorities: authorities.length,
    problems: [...problems, ...(lists?.problems ?? [])],
    judge: (certificate, now) => {
      const objection = judgeClient(certificate);
      if (objection !== undefined) return refused(objection);
      const paths = authorities.flatMap((authority) =>
        isIssuedBy(certificate, authority.certificate) ? authority.paths : [],
      );
      return judgePaths(certificate, paths, lists?.judge, now);
    },
  };
}

/** What the certificate says of itself (RFC 5280 4.2.1). One of an authority is none of a client. */
function judgeClient(certificate: Certificate): TrustRefusal | undefined {
  const { authority, keyUsage, extendedKeyUsage, notUnderstood, publicKey, signatureHash } = certificate;
  if (notUnderstood.length > 0) return 'not-understood';
  if (authority !== undefined || extendedKeyUsage?.includes(clientAuthentication) === false) return 'not-for-clients';
  if (keyUsage?.(keyUsageBits.digitalSignature) === false) return 'not-for-clients';
  return isStrongKey(publicKey) && signatureHash !== undefined ? undefined : 'weak';
}

/**
 * One path that is valid is enough, but what is revoked on one is not made good by another, nor what may be revoked: so all are looked at,
 * and their order does not matter.
 */
function judgePaths(
  certificate: Certificate,
  paths: readonly AuthorityPath[],
  isRevoked: RevocationJudge | undefined,
  now: number,
): TrustVerdict {
  let worst: TrustRefusal = 'untrusted';
  let isTrusted = false;
  let isUnknown = false;
  let [from, until] = [-Infinity, Infinity];
  for (const path of paths) {
    const begins = Math.max(certificate.notBefore, path.notBefore);
    const ends = Math.min(certificate.notAfter, path.notAfter);
    // A path that is not valid now may say something else once it is.
    if (now < begins) {
      worst = 'not-yet-valid';
      until = Math.min(until, begins);
    } else if (now > ends) {
      if (worst === 'untrusted') worst = 'expired';
      from = Math.max(from, ends);
    } else {
      const revocation = isRevoked?.([certificate, ...path.authorities], now) ?? never;
      if (revocation === 'revoked') return refused('revoked');
      if (revocation === 'revocation-unknown') isUnknown = true;
      else {
        isTrusted = true;
        from = Math.max(from, begins, revocation.from);
        until = Math.min(until, ends, revocation.until);
      }
    }
  }
  if (isUnknown) return refused('revocation-unknown');
  return isTrusted ? { kind: 'trusted', from, until } : refused(worst);
}

const never = { from: -Infinity, until: Infinity };

function refused(why: TrustRefusal): TrustVerdict {
  return { kind: 'refused', why };
}
