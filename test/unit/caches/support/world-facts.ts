import { createClientAuthority, type ClientAuthority } from '../../../support/client-certificates.ts';
import { ecKey, rsaKey, startSeconds, type TestKey } from '../../identity/identity-fixtures.ts';

/** Keys and certificates: made once, for they are dear, and in no state of the world others. */
export interface Facts {
  readonly issuers: { readonly staff: string; readonly partner: string };
  readonly urls: { readonly partnerKeys: string; readonly opaque: string; readonly direct: string };
  /** `bAsA`: the key b under the id of a. `nobody`: of no issuer, under that id too. */
  readonly keys: Readonly<Record<'a' | 'b' | 'bAsA' | 'p1' | 'p2' | 'nobody' | 'holder', TestKey>>;
  readonly roots: readonly [ClientAuthority, ClientAuthority];
  /** Of the first root, of the second, and one of the first that ends after ten minutes. */
  readonly certificates: readonly { readonly certificate: string; readonly der: Buffer; readonly serial: string }[];
}

const now = startSeconds * 1000;

export function createFacts(): Facts {
  const b = ecKey('k2');
  const roots = [createClientAuthority(now), createClientAuthority(now, { name: 'other root' })] as const;
  const uri = (name: string): readonly string[] => [`spiffe://cluster.local/ns/shop/sa/${name}`];
  return {
    issuers: { staff: 'https://staff.example', partner: 'https://partner.example' },
    urls: {
      partnerKeys: 'https://partner.example/keys',
      opaque: 'https://opaque.example/introspect',
      direct: 'https://direct.example/introspect',
    },
    keys: {
      a: ecKey('k1'),
      b,
      bAsA: { ...b, jwk: { ...b.jwk, kid: 'k1' } },
      p1: rsaKey('k1'),
      p2: ecKey('k1'),
      nobody: ecKey('k1'),
      holder: ecKey('holder'),
    },
    roots,
    certificates: [
      roots[0].issue({ uri: uri('web') }),
      roots[1].issue({ uri: uri('job') }),
      roots[0].issue({ uri: uri('late'), to: now + 600_000 }),
    ],
  };
}

/** The first root; the second; both; the first with its first certificate revoked. */
export function trustOf(
  { roots, certificates }: Facts,
  variant: number,
): { readonly bundle: string; readonly list: string } {
  const [first, second] = roots;
  const nextUpdate = now + 3 * 3_600_000;
  const revoked = variant === 3 ? certificates.slice(0, 1).map(({ serial }) => serial) : [];
  const lists = [first.revoke(revoked, { nextUpdate }), second.revoke([], { nextUpdate })];
  const bundles = [first.certificate, second.certificate, first.certificate + second.certificate, first.certificate];
  return { bundle: bundles[variant] ?? '', list: lists.join('') };
}
