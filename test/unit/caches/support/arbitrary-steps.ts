import fc from 'fast-check';
import type { RevocationTarget } from '../../../../src/core/revocation.ts';
import { kinds, type Kind, type Shown } from './world-credentials.ts';
import { fields, hosts, variants, type Field } from './world-state.ts';

/** A request: whose credential it shows, on which of the hosts that it is for, or elsewhere. */
export interface Ask {
  readonly kind: 'ask';
  /** Its place among those of the world. */
  readonly credential: number;
  /** Which of the hosts that it is for, modulo how many there are. */
  readonly host: number;
  /** Another host. */
  readonly elsewhere: string | undefined;
  readonly method: string;
  readonly path: string;
  /** Empty: no such header. */
  readonly tenant: string;
  readonly zone: string;
  /** With headers that only we set. */
  readonly forged: boolean;
  readonly form: 'joined' | 'apart';
  /** Two at the same time. */
  readonly twice: boolean;
}

export type Step =
  | Ask
  /** What was asked so many asks ago. */
  | { readonly kind: 'again'; readonly back: number }
  | { readonly kind: 'set'; readonly field: Field; readonly value: number }
  | { readonly kind: 'pass'; readonly ms: number }
  /** The wall clock alone is set. */
  | { readonly kind: 'wall'; readonly seconds: number }
  | { readonly kind: 'revoke'; readonly provider: string; readonly target: RevocationTarget; readonly value: string };

const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const paths = [
  '/me',
  '/me',
  '/gate',
  '/gate',
  '/maybe',
  '/pub',
  '/zone',
  '/again',
  '/cluster',
  '/n/ab12',
  '/me/never',
  '/nowhere',
  '//me',
];

const askOf = (credentials: readonly number[]): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constant('ask' as const),
    credential: fc.constantFrom(...credentials),
    host: fc.nat(5),
    elsewhere: rarely(fc.constantFrom(...hosts)),
    method: fc.constantFrom('GET', 'GET', 'POST'),
    path: fc.constantFrom(...paths),
    tenant: fc.constantFrom('', 'acme', 'globex'),
    zone: fc.constantFrom('', 'Europe/Berlin', 'Mars/Olympus'),
    forged: fc.boolean(),
    form: fc.constantFrom('joined' as const, 'apart' as const),
    twice: fc.constantFrom(false, false, false, true),
  });

function setOf(some: readonly Field[]): fc.Arbitrary<Step> {
  const field = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...some) },
    { weight: 1, arbitrary: fc.constantFrom(...fields) },
  );
  return field.chain((one) =>
    fc.record({ kind: fc.constant('set' as const), field: fc.constant(one), value: fc.nat(variants[one] - 1) }),
  );
}

/** Shorter than a refusal is remembered, and longer; longer than a review, than an answer, than a token that ends soon; longer than keys go without a fetch. */
const pass: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('pass' as const),
  ms: fc.constantFrom(2_000, 6_000, 31_000, 61_000, 150_000, 660_000, 2_400_000),
});

const wall: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('wall' as const),
  seconds: fc.constantFrom(-86_400, -7_200, -600, -40, 40, 600, 7_200),
});

const revoke: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('revoke' as const),
  provider: fc.constantFrom(
    'shop/staff',
    'shop/web',
    'shop/opaque',
    'shop/clients',
    'shop/people',
    'shop/consumers',
    'team/staff',
    'shop/machines',
  ),
  target: fc.constantFrom('jti' as const, 'sub' as const),
  value: fc.constantFrom('j1', 'j4', 'alice', 'root', 'opaque-alice', 'acme', 'spiffe://cluster.local/ns/shop/sa/web'),
});

/** Days of a world in which few show their credentials, most of them of that kind, again and again, while what these depend on changes. */
export function arbitrarySteps(kind: Kind, credentials: readonly Shown[]): fc.Arbitrary<readonly Step[]> {
  const any = fc.nat(credentials.length - 1);
  const own = fc.constantFrom(...credentials.flatMap((one, index) => (one.kind === kind ? [index] : [])));
  const few = fc.tuple(fc.array(own, { minLength: 1, maxLength: 3 }), fc.array(any, { maxLength: 2 }));
  const again: fc.Arbitrary<Step> = fc.record({ kind: fc.constant('again' as const), back: fc.nat(6) });
  return few.chain((those) =>
    fc.array(
      fc.oneof(
        { weight: 12, arbitrary: askOf(those.flat()) },
        { weight: 10, arbitrary: again },
        { weight: 6, arbitrary: setOf(kinds[kind]) },
        { weight: 3, arbitrary: pass },
        { weight: 1, arbitrary: wall },
        { weight: 1, arbitrary: revoke },
      ),
      { minLength: 20, maxLength: 80, size: 'max' },
    ),
  );
}

/** A request for a page that every host has, as simple as may be. */
export function plainAsk(credential: number, host: number): Ask {
  const plain = { elsewhere: undefined, method: 'GET', path: '/me', tenant: '', zone: '', forged: false } as const;
  return { kind: 'ask', credential, host, ...plain, form: 'apart', twice: false };
}
