import type { Denial } from '../core/decision.ts';
import { denial, type HeaderEntry } from '../core/decision.ts';
import type { RequestScope } from '../expressions/scope.ts';
import type { AuthorizationTest } from '../phases/authorization/authorization-test.ts';
import { compileDeniedConditions } from '../phases/authorization/compile-conditions.ts';
import { compileAuthorization } from '../phases/authorization/compile-authorization.ts';
import {
  compileAuthentication,
  compileShortfall,
  peerShortfall,
  type Authenticate,
  type ChallengeShortfall,
} from '../phases/identity/authenticate.ts';
import { compileCredentialRemoval, type CredentialRemoval } from '../phases/identity/credential-removal.ts';
import type { IdentityProvider, MessageProvider, PeerProvider } from '../phases/identity/identity-provider.ts';
import { compileKeptHeaders, type KeptHeaders } from '../phases/identity/kept-headers.ts';
import { compileDenial, type DenialDressing } from '../phases/response/compile-denial.ts';
import { compileUpstream, type UpstreamProgram } from '../phases/response/compile-upstream.ts';
import { compileAddresses, type AddressTest } from '../phases/restrictions/compile-addresses.ts';
import type { CredentialPlace } from '../policy/provider-spec.ts';
import { isSamePlace } from '../policy/providers/credential-forms.ts';
import { specKey } from '../policy/spec-name.ts';
import { compileResourceMetadata, type ServedMetadata } from './resource-metadata.ts';
import type { AccessPolicySpec, MatchSpec, PolicyMode, ProviderRef, RuleSpec } from '../policy/spec.ts';
import { compileOnce } from '../std/shared-values.ts';

/** A policy ready to decide: everything that can be prepared is. Replaced as a whole when anything of it changes. */
export interface CompiledPolicy {
  /** `namespace/name`. */
  readonly id: string;
  readonly namespace: string;
  readonly mode: PolicyMode['mode'];
  readonly attachment: AccessPolicySpec['attachment'];
  readonly hosts: readonly string[];
  readonly targets: readonly CompiledTarget[];
  /** Undefined for a policy that never was valid, whose settings are not known. */
  readonly paths: AccessPolicySpec['paths'] | undefined;
  readonly addresses: AddressTest | undefined;
  readonly setsHeaders: readonly string[];
  /** What it says of the protected resource (RFC 9728); undefined: nothing. */
  readonly metadata: ServedMetadata | undefined;
  /** True for a refused policy of which not even the matches can be read: it takes every request of its hosts (S4). */
  readonly refusesAll: boolean;
  readonly rules: readonly IndexedRule<CompiledRule>[];
  readonly denied: readonly IndexedRule<DeniedRule>[];
  /** For denials that no rule of it decides; undefined for a refused policy. */
  readonly dress: DenialDressing | undefined;
}

export interface CompiledTarget {
  /** The key of the route: `HTTPRoute shop/orders`. */
  readonly route: string;
  /** Empty for the whole route. */
  readonly section: string;
}

export interface IndexedRule<T> {
  readonly rule: T;
  readonly matches: readonly MatchSpec[];
}

export interface RuleName {
  /** `namespace/name`, or `name` of a cluster policy. */
  readonly policy: string;
  readonly namespace: string;
  readonly name: string;
  /** In its policy, from 0. */
  readonly position: number;
}

export interface DeniedRule extends RuleName {
  /** `policy_invalid` where the rule is one of a refused policy. */
  readonly code: 'denied' | 'policy_invalid';
  /** Where there is one, the rule hits only the clients that it refuses (S15). */
  readonly addresses: AddressTest | undefined;
  /** Where there are some, the rule hits only the requests for which they hold or cannot be evaluated (S15). */
  readonly conditions: ((request: RequestScope) => boolean) | undefined;
  readonly dress: DenialDressing | undefined;
}

export type CompiledRule = AllowingRule | RefusedDecision;

/** A rule of a refused policy: whatever it would have decided is denied (S4). */
export interface RefusedDecision extends RuleName {
  readonly access: 'Refused';
}

export interface AllowingRule extends RuleName {
  readonly access: 'Public' | 'Optional' | 'Authenticated' | 'Restricted';
  readonly addresses: AddressTest | undefined;
  /** Also of Public rules, which ask only where the floor does (S8). */
  readonly authenticate: Authenticate;
  readonly challengeShortfall: ChallengeShortfall;
  /** The URL of the metadata of the protected resource, for challenges (RFC 9728 5.1). */
  readonly resourceMetadata: string | undefined;
  /** Those that `authenticate` asks. */
  readonly providers: readonly MessageProvider[];
  /** Who vouches for who connects (S18): `gone` where the policy names somebody who does not exist any more. */
  readonly peer: PeerProvider | 'gone' | undefined;
  /** True where the peer is the identity: the rule has no providers beside it. */
  readonly peerIdentifies: boolean;
  /** Names of its providers that are the namespace's own, not the cluster's. */
  readonly ownProviders: ReadonlySet<string>;
  readonly authorization: AuthorizationTest | undefined;
  readonly upstream: UpstreamProgram;
  readonly removeCredential: CredentialRemoval;
  /** The places that `removeCredential` empties, and those whose credential the rule passes on. */
  readonly emptied: readonly CredentialPlace[];
  readonly kept: readonly CredentialPlace[];
  readonly keptHeaders: KeptHeaders;
  readonly responseHeaders: readonly HeaderEntry[];
  readonly dress: DenialDressing;
}

/** Where the credentials of providers stand, by key, also of those that do not run any more. */
export type KnownPlaces = ReadonlyMap<string, readonly CredentialPlace[]>;

/** The providers at work, by their keys. */
export type RunningProviders = Pick<ReadonlyMap<string, IdentityProvider>, 'get'>;

/** Compiles a valid policy; a provider that is not among those running is one that was deleted since, whose places are emptied all the same. */
export function compilePolicy(spec: AccessPolicySpec, providers: RunningProviders, known: KnownPlaces): CompiledPolicy {
  const id = `${spec.namespace}/${spec.name}`;
  const places = placesOf(spec.providers, known);
  const rules: IndexedRule<CompiledRule>[] = [];
  const denied: IndexedRule<DeniedRule>[] = [];
  const dress = compileDenial(spec.response);
  const metadata = compileResourceMetadata(spec, providers);
  for (const [position, rule] of spec.rules.entries()) {
    const { matches, access } = rule;
    const name: RuleName = { policy: id, namespace: spec.namespace, name: rule.name, position };
    if (access === 'Denied')
      denied.push({
        matches,
        rule: {
          ...name,
          code: 'denied',
          addresses: addressesOf(rule),
          conditions: compileDeniedConditions(rule.when),
          dress,
        },
      });
    else
      rules.push({
        matches,
        rule: {
          ...compileRule(name, access, rule, places, providers),
          ...compilePeer(spec, rule, providers),
          resourceMetadata: metadata?.url,
        },
      });
  }
  const { namespace, mode, attachment, hosts, paths, setsHeaders } = spec;
  const addresses = addressesOf(spec);
  return {
    id,
    namespace,
    mode,
    attachment,
    hosts,
    targets: compileTargets(spec),
    paths,
    addresses,
    setsHeaders,
    metadata,
    refusesAll: false,
    // A copy is as long as it has to be: a list that grew has room for sixteen more.
    rules: [...rules],
    denied,
    dress,
  };
}

export function compileTargets({
  namespace,
  targets,
}: Pick<AccessPolicySpec, 'namespace' | 'targets'>): readonly CompiledTarget[] {
  return targets.map(({ kind, name, section }) => ({ route: specKey({ kind, namespace, name }), section }));
}

function compilePeer(
  { peer }: AccessPolicySpec,
  rule: RuleSpec,
  providers: RunningProviders,
): Pick<AllowingRule, 'peer' | 'peerIdentifies' | 'ownProviders'> & Partial<Pick<AllowingRule, 'challengeShortfall'>> {
  if (peer === undefined) return { peer: undefined, peerIdentifies: false, ownProviders: ownNames(rule.providers) };
  const running = providers.get(specKey(peer));
  const peerIdentifies = rule.providers.length === 0;
  const ownProviders = peerIdentifies ? ownNames([peer]) : ownNames(rule.providers);
  return {
    peer: running?.layer === 'peer' ? running : 'gone',
    peerIdentifies,
    ownProviders,
    ...(peerIdentifies ? { challengeShortfall: peerShortfall } : {}),
  };
}

function compileRule(
  name: RuleName,
  access: AllowingRule['access'],
  rule: RuleSpec,
  placesOfPolicy: readonly CredentialPlace[],
  providers: RunningProviders,
): Omit<AllowingRule, 'peer' | 'peerIdentifies' | 'ownProviders' | 'resourceMetadata'> {
  const { running, authenticate, challengeShortfall } = askingOf(runningProviders(rule.providers, providers));
  // Every place of every provider of the policy is emptied; what Keep passes is the credential of the rule's own providers.
  const own = access === 'Public' ? placesOfPolicy : running.flatMap(({ places }) => places);
  const kept = rule.upstream.credential === 'Keep' ? own : noPlaces;
  const emptied = kept.length === 0 ? placesOfPolicy : placesWithout(placesOfPolicy, kept);
  return {
    ...name,
    access,
    addresses: addressesOf(rule),
    // A rule all of whose providers are gone answers that it cannot tell, never that nobody asked (promise 1).
    authenticate: rule.providers.length > 0 && running.length === 0 ? denyForGone : authenticate,
    challengeShortfall,
    providers: running,
    authorization: rule.authorization === undefined ? undefined : compileAuthorization(rule.authorization),
    upstream: compileUpstream(rule.upstream),
    removeCredential: removalOf(emptied),
    emptied,
    kept,
    keptHeaders: keptHeadersOf(kept),
    responseHeaders: responseHeaders(rule.response),
    dress: compileDenial(rule.response),
  };
}

const gone: { readonly denial: Denial } = { denial: denial('provider_unavailable') };
const denyForGone: Authenticate = () => gone;
const noPlaces: readonly CredentialPlace[] = [];

// Most policies have one provider: what is compiled for it, or for its places, they share.
const removalOf = compileOnce(compileCredentialRemoval);
const keptHeadersOf = compileOnce(compileKeptHeaders);

/** Names of the providers that are the namespace's own, not the cluster's. */
const ownNames = compileOnce(
  (refs: readonly ProviderRef[]): ReadonlySet<string> =>
    new Set(refs.flatMap(({ kind, name }) => (kind === 'IdentityProvider' ? [name] : []))),
);

const responseHeaders = compileOnce(({ headers }: RuleSpec['response']): readonly HeaderEntry[] =>
  headers.map(({ name, value }) => [name, value]),
);

/** Where the credentials of the providers stand; of one provider the list that is known. */
function placesOf(refs: readonly ProviderRef[], known: KnownPlaces): readonly CredentialPlace[] {
  const lists = refs.map((ref) => known.get(specKey(ref)) ?? noPlaces);
  const [only = noPlaces, ...others] = lists;
  return others.length === 0 ? only : lists.flat();
}

/** Some providers, and how they are asked. */
interface Asking {
  readonly running: readonly MessageProvider[];
  readonly authenticate: Authenticate;
  readonly challengeShortfall: ChallengeShortfall;
}

function askingOf(running: readonly MessageProvider[]): Asking {
  const [only, ...others] = running;
  if (only === undefined) return askingNobody;
  return others.length === 0 ? askingOne(only) : compileAsking(running);
}

function compileAsking(running: readonly MessageProvider[]): Asking {
  return {
    running,
    authenticate: compileAuthentication(running),
    challengeShortfall: compileShortfall(running),
  };
}

const askingOne = compileOnce((provider: MessageProvider): Asking => compileAsking([provider]));
const askingNobody = compileAsking([]);

/** One that became another kind since the policy was read is none that may be asked. */
function runningProviders(refs: readonly ProviderRef[], providers: RunningProviders): MessageProvider[] {
  return refs.flatMap((ref) => {
    const provider = providers.get(specKey(ref));
    return provider?.layer === 'message' ? [provider] : [];
  });
}

/**
 * What takes the credentials off a request that several rules have judged: those of every policy that takes part (S27), but for what the
 * deciding rule keeps.
 */
export function removalFor(deciding: AllowingRule, rules: readonly AllowingRule[]): CredentialRemoval {
  if (rules.length === 1) return deciding.removeCredential;
  const others = rules.filter(({ policy }) => policy !== deciding.policy);
  if (others.length === 0) return deciding.removeCredential;
  const emptied = [deciding, ...others].flatMap((rule) => rule.emptied);
  return compileCredentialRemoval(placesWithout(emptied, deciding.kept));
}

function placesWithout(
  places: readonly CredentialPlace[],
  without: readonly CredentialPlace[],
): readonly CredentialPlace[] {
  return places.filter((place) => !without.some((other) => isSamePlace(place, other)));
}

/** Compiles `addresses` of a policy or rule; undefined where it has none. */
export function addressesOf({ addresses }: Pick<RuleSpec, 'addresses'>): AddressTest | undefined {
  return addresses === undefined ? undefined : compileAddresses(addresses);
}
