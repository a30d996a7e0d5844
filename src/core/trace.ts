import type { Denial } from './decision.ts';
import type { Identity } from './identity.ts';
import type { JsonValue } from './json.ts';

/** Told of the steps of one decision as they are made, for explanations. Nobody listens while serving, and then nothing is made for it. */
export interface Trace {
  note(step: TraceStep): void;
}

/** A rule and the policy that it is of; `rule` is empty for what stands at the policy itself. */
export interface TracedRule {
  readonly policy: string;
  readonly rule: string;
}

export type TraceStep =
  /** Which policies stand over the request. */
  | { readonly kind: 'covering'; readonly policies: readonly CoveringPolicy[] }
  /** The path that rules are matched with. */
  | { readonly kind: 'path'; readonly path: string }
  /** A rule of the kind that only restricts, whose path fits. */
  | (TracedRule & { readonly kind: 'denied-rule' | 'floor-rule'; readonly fate: RestrictingFate })
  /** A candidate among the rules of the nearest policies: its path fits. Highest rank first. */
  | (TracedRule & {
      readonly kind: 'candidate';
      readonly access: string;
      readonly match: string;
      readonly rank: number;
      readonly fate: CandidateFate;
    })
  /** The rules that decide, and the higher-ranked ones that must hold beside them. */
  | { readonly kind: 'selection'; readonly matched: readonly TracedRule[]; readonly beside: readonly TracedRule[] }
  /** Why no rule decides although one matches: a higher-ranked one that asks was missed only by method, header or query. */
  | { readonly kind: 'search-ended'; readonly by: readonly TracedRule[] }
  | (TracedRule & { readonly kind: 'addresses'; readonly objection: Denial | undefined })
  /** `identity` is undefined where nobody was asked. */
  | (TracedRule & {
      readonly kind: 'identity';
      readonly result:
        { readonly identity: Identity; readonly peer?: Identity | undefined } | { readonly denial: Denial };
    })
  | (TracedRule & { readonly kind: 'test' } & TracedTest);

export interface CoveringPolicy {
  readonly policy: string;
  /** `decides`: its Allow rules are asked; `restricts`: only what denies; `floor`: a cluster policy. */
  readonly role: 'decides' | 'restricts' | 'floor';
  /** The host pattern or route (`HTTPRoute shop/orders, rule admin`) that leads to it; `by name` where the proxy names it. */
  readonly because: string;
}

export type RestrictingFate = 'hits' | 'method' | 'header-or-query' | 'ambiguous' | 'address-not-refused' | 'condition';

/**
 * `named` and `general` match, the first with its method named; `loose` fits only when case and a trailing slash are ignored;
 * `method` and `header-or-query` are what it was missed by; `ambiguous` has a header or parameter twice; `path`: its path does not fit;
 * `lower-rank`: a higher-ranked rule matches.
 */
export type CandidateFate =
  'named' | 'general' | 'loose' | 'method' | 'header-or-query' | 'ambiguous' | 'path' | 'lower-rank';

/** One test of an authorization. */
export interface TracedTest {
  /** What is tested: `scopes`, `claim tenant`. */
  readonly what: string;
  /** What is asked for, as the policy says it. */
  readonly asks: JsonValue;
  /** What was found; undefined where it is absent. May be a person's: not to be shown unasked. */
  readonly value: JsonValue | undefined;
  readonly objection: Denial | undefined;
  /** The position in `anyOf`; undefined outside of it. */
  readonly block: number | undefined;
}
