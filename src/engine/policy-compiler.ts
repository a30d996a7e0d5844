import { compileExpression } from '../expressions/compile-expression.ts';
import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import type { RefusedPolicy } from '../policy/salvage-policy.ts';
import type { CredentialPlace } from '../policy/provider-spec.ts';
import { pathPatternInSteps } from '../policy/path-pattern.ts';
import { expressionsOfRule } from '../policy/rule-expressions.ts';
import { specKey } from '../policy/spec-name.ts';
import type { PolicySpec, ProviderRef } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import { isPolicy, type CatalogEntry } from './catalog-entry.ts';
import { compilePolicy, type CompiledPolicy, type KnownPlaces, type RunningProviders } from './compile-policy.ts';
import { compileRefused } from './compile-refused.ts';
import { compileFloor, compileRefusedFloor, type CompiledFloor } from './floor.ts';

/** Compiles policies and remembers them, so that one change compiles one policy. */
export interface PolicyCompiler {
  /** Compiles what stands behind these keys now. Nothing is changed by it until `commit`, and only one at a time may be pending. */
  prepare(
    keys: Iterable<string>,
    entryOf: (key: string) => CatalogEntry | undefined,
    providers: RunningProviders,
  ): Steps<PreparedPolicies>;
}

export interface PreparedPolicies {
  readonly changes: readonly CompiledChange[];
  commit(): void;
}

/** A policy at work that takes the place of another one; undefined: there is none. */
export type CompiledChange =
  | { readonly kind: 'policy'; readonly before: CompiledPolicy | undefined; readonly after: CompiledPolicy | undefined }
  | { readonly kind: 'floor'; readonly before: CompiledFloor | undefined; readonly after: CompiledFloor | undefined };

/** What a policy at work is made of. */
interface Source {
  readonly spec: PolicySpec | undefined;
  /** Those of the spec, in its order; undefined where one is gone. */
  readonly providers: readonly (IdentityProvider | undefined)[];
  /** Of the providers of the spec, also of those that are gone; while it denies, what was known before. */
  readonly places: KnownPlaces;
  /** The refused policy as JSON. */
  readonly denying: string | undefined;
}

/** What was compiled one by one: as long as somebody has them, whoever compiles them once more has them at once. */
type Parts = readonly object[];

type CompiledEntry =
  | { readonly kind: 'policy'; readonly source: Source; readonly policy: CompiledPolicy }
  | { readonly kind: 'floor'; readonly source: Source; readonly policy: CompiledFloor };
type Compiled = CompiledEntry & { readonly parts: Parts };

export function createPolicyCompiler(): PolicyCompiler {
  const known = new Map<string, Compiled>();
  return {
    *prepare(keys, entryOf, providers) {
      const next = new Map<string, Compiled | undefined>();
      const changes: CompiledChange[] = [];
      for (const key of keys) {
        const before = known.get(key);
        const entry = entryOf(key);
        const parts = yield* compileParts(entry);
        const after = compileEntry(entry, before, providers);
        if (before === after) continue;
        next.set(key, after && { ...after, parts });
        changes.push(toChange(before, after));
        yield;
      }
      const commit = (): void => {
        for (const [key, compiled] of next) {
          if (compiled === undefined) known.delete(key);
          else known.set(key, compiled);
        }
      };
      return { changes, commit };
    },
  };
}

/** Compiles regular expressions and expressions one by one: the policy, and the index of a host, are then made of them at once. */
function* compileParts({ inForce, denying }: Partial<CatalogEntry> = {}): Steps<Parts> {
  const own = inForce !== undefined && isPolicy(inForce) ? inForce.rules : [];
  const refused = denying === undefined || denying.rules === 'every-request' ? [] : denying.rules;
  const parts: object[] = [];
  for (const { matches } of [...own, ...refused])
    for (const { path } of matches) {
      if (path.type !== 'RegularExpression') continue;
      parts.push(yield* pathPatternInSteps(path.value));
      yield;
    }
  for (const rule of own)
    for (const { expression, environment } of expressionsOfRule(rule)) {
      parts.push(compileExpression(expression, environment));
      yield;
    }
  return parts;
}

/** The policy at work for an entry; `before` where nothing that it is made of changed. */
function compileEntry(
  entry: CatalogEntry | undefined,
  before: Compiled | undefined,
  providers: RunningProviders,
): CompiledEntry | Compiled | undefined {
  const { inForce, denying } = entry ?? {};
  const spec = inForce !== undefined && isPolicy(inForce) ? inForce : undefined;
  if (spec === undefined && denying === undefined) return undefined;
  const source: Source = {
    spec,
    providers: spec?.kind === 'AccessPolicy' ? spec.providers.map((ref) => providers.get(specKey(ref))) : [],
    places: sharePlaces(spec, knownPlaces(spec, before, providers)),
    denying: denying && JSON.stringify(denying),
  };
  if (before !== undefined && isSameSource(before.source, source)) return before;
  if (spec !== undefined) {
    return spec.kind === 'ClusterAccessPolicy'
      ? { kind: 'floor', source, policy: compileFloor(spec) }
      : { kind: 'policy', source, policy: compilePolicy(spec, providers, source.places) };
  }
  return denying && compileDenying(denying, source);
}

/** Where the credentials of each provider stand; of one that is gone, where they stood (S20). */
function knownPlaces(
  spec: PolicySpec | undefined,
  before: Compiled | undefined,
  running: RunningProviders,
): KnownPlaces {
  const last: KnownPlaces = before?.source.places ?? new Map();
  if (spec?.kind !== 'AccessPolicy') return last;
  const places = new Map<string, readonly CredentialPlace[]>();
  for (const ref of spec.providers) {
    const key = specKey(ref);
    const provider = running.get(key);
    const known = provider?.layer === 'message' ? provider.places : last.get(key);
    if (known !== undefined) places.set(key, known);
  }
  return places;
}

const placesOfProviders = new WeakMap<readonly ProviderRef[], KnownPlaces>();

/** The places, or those that say the same of another policy with the same providers: most policies of a namespace have one. */
function sharePlaces(spec: PolicySpec | undefined, places: KnownPlaces): KnownPlaces {
  if (spec?.kind !== 'AccessPolicy') return places;
  const known = placesOfProviders.get(spec.providers);
  const isSame = known?.size === places.size && [...places].every(([key, list]) => known.get(key) === list);
  if (known !== undefined && isSame) return known;
  placesOfProviders.set(spec.providers, places);
  return places;
}

function compileDenying(denying: RefusedPolicy, source: Source): CompiledEntry {
  return denying.kind === 'ClusterAccessPolicy'
    ? { kind: 'floor', source, policy: compileRefusedFloor(denying) }
    : { kind: 'policy', source, policy: compileRefused(denying) };
}

function isSameSource(a: Source, b: Source): boolean {
  return (
    a.spec === b.spec &&
    a.denying === b.denying &&
    a.providers.every((provider, index) => provider === b.providers[index])
  );
}

/** A key names one kind, so both are of it. */
function toChange(before: CompiledEntry | undefined, after: CompiledEntry | undefined): CompiledChange {
  if (before?.kind === 'floor' || after?.kind === 'floor') {
    return {
      kind: 'floor',
      before: before?.kind === 'floor' ? before.policy : undefined,
      after: after?.kind === 'floor' ? after.policy : undefined,
    };
  }
  return { kind: 'policy', before: before?.policy, after: after?.policy };
}
