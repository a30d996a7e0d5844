import { foldPath } from '../canonical/path.ts';
import {
  allow,
  denial,
  type RefusedCredential,
  deny,
  type Decision,
  type DecisionAbout,
  type Denial,
  type HeaderEntry,
} from '../core/decision.ts';
import type { Identity } from '../core/identity.ts';
import type { Request } from '../core/request.ts';
import type { Trace, TracedRule, TracedTest } from '../core/trace.ts';
import type { RequestScope, Scope } from '../expressions/scope.ts';
import type { AuthorizationInput, Objection } from '../phases/authorization/authorization-test.ts';
import { judgeTogether, type AuthenticationContext } from '../phases/identity/authenticate.ts';
import { plainDenial, type DenialDressing } from '../phases/response/compile-denial.ts';
import type { OwnedHeaders } from '../phases/response/compile-upstream.ts';
import type { AddressTest } from '../phases/restrictions/compile-addresses.ts';
import { joinLists } from '../std/join-lists.ts';
import { removalFor, type AllowingRule, type CompiledRule, type DeniedRule, type RuleName } from './compile-policy.ts';
import { identify, nobody, type Caller, type IdentifyResult } from './identify.ts';
import type { CompiledFloor, Demand } from './floor.ts';
import { findMatches, objectionTo, workOfAll, type FoundMatches, type MatchingBudget } from './find-matches.ts';
import { policyExtension } from './policy-extension.ts';
import { restrictingPolicies, type PolicyGroup } from './policy-group.ts';
import { answerMetadata, findMetadata } from './resource-metadata.ts';
import { decidingRule } from './deciding-rule.ts';
import { restricts } from './restricts.ts';
import type { Found } from './route-index.ts';
import { selectRules } from './select-rules.ts';
import { traceSelection } from './trace-selection.ts';

/** One request on its way. */
export interface Check {
  readonly request: Request;
  readonly id: string;
  /** Seconds since the epoch. */
  readonly now: number;
  /** What expressions see of the request, shared by all of the check. */
  readonly expressions: RequestScope;
  /** What stands over the request; undefined: nothing does. */
  readonly group: PolicyGroup | undefined;
  /** The policies for whose route the host is reserved, where the proxy does not say which route it chose (S7). */
  readonly reservedFor: readonly string[] | undefined;
  /** The floors that cover it (S8). */
  readonly floors: readonly CompiledFloor[];
  /** A policy that only watches judges (S9): nothing is used up. */
  readonly isShadow?: boolean;
  /** What looking at matches may cost all shadows of the check together; undefined: it is the check's own decision. */
  readonly matching?: MatchingBudget;
  /** Whom questions to Kubernetes are put to; undefined where there is no cluster. */
  readonly reviews: AuthorizationInput['reviews'];
  /** Told of every step; undefined while serving. */
  readonly trace?: Trace | undefined;
  /** The headers that only we set (S26). */
  ownedBy(namespace: string): OwnedHeaders;
}

/**
 * The way of a request: the floor's and the covering policies' Denied rules and addresses, the Allow rules of the nearest, the identity,
 * what it may, and what goes upstream. Answers at once where nothing has to be awaited. May throw; the caller makes a deny of it.
 */
export function decide(check: Check): Decision | Promise<Decision> {
  const { group, request, floors } = check;
  const refusing = floors.find(({ refusesAll }) => refusesAll);
  if (refusing !== undefined) return refuse(check, denial('policy_invalid'), { policy: refusing.id, name: '' });
  if (check.reservedFor !== undefined)
    return refuse(check, denial('route_unknown'), { policy: check.reservedFor[0] ?? '', name: '' });
  if (group === undefined) return refuse(check, noPolicy(request));
  const path = acceptPath(group, request);
  if (typeof path !== 'string') return refuse(check, path);
  check.trace?.note({ kind: 'path', path });
  const folded = foldPath(path);
  const found = findMatches(floors, group, path, folded);
  const work = workOfAll(found);
  const tooMuch = objectionTo(work);
  if (tooMuch !== undefined) return refuse(check, tooMuch);
  if (check.matching?.take(work) === false) return refuse(check, denial('deadline_exceeded'));
  for (const one of found.denied) {
    const denied = denyByRule(check, one);
    if (denied !== undefined) return denied;
  }
  return denyByAddress(check, group) ?? decideByRules(check, group, found);
}

/** The name comes from the proxy's configuration, never from a client (S5). */
function noPolicy({ contextExtensions }: Request): Denial {
  const name = contextExtensions.get(policyExtension);
  if (name === undefined) return denial('no_policy');
  return denial(
    'no_policy',
    `The proxy names the policy ${JSON.stringify(name.slice(0, 200))} (${policyExtension}), and no policy with attachment: Named has that namespace/name.`,
  );
}

/** The path for matching, where every covering policy accepts its form (S11). */
function acceptPath(group: PolicyGroup, request: Request): string | Denial {
  const hasParameters = request.path !== request.pathWithoutParameters;
  if (hasParameters && !group.paths.stripParameters) {
    return denial(
      'path_not_canonical',
      'The path is refused: it has parameters (;), which the policies of the host do not accept.',
    );
  }
  const escape = request.encodedReserved.find((reserved) => !group.paths.allowEncoded.has(reserved));
  if (escape !== undefined) {
    return denial(
      'path_not_canonical',
      `The path is refused: it has ${escape}, which the policies of the host do not accept.`,
    );
  }
  return request.pathWithoutParameters;
}

function denyByRule(check: Check, found: Found<DeniedRule>): Decision | undefined {
  for (const candidate of found.candidates()) {
    const { rule } = candidate;
    const { fate, objection } = restricts(candidate, check);
    check.trace?.note({ kind: 'denied-rule', ...traced(rule), fate });
    if (objection !== undefined) return refuse(check, objection, rule);
    if (fate === 'hits') return refuse(check, denial(rule.code), rule);
  }
  return undefined;
}

function traced({ policy, name }: Pick<RuleName, 'policy' | 'name'>): TracedRule {
  return { policy, rule: name };
}

function denyByAddress(check: Check, group: PolicyGroup): Decision | undefined {
  for (const { id, addresses } of check.floors) {
    if (addresses === undefined) continue;
    const objection = judgeAddress(check, addresses, { policy: id, name: '' });
    if (objection !== undefined) return refuse(check, objection, { policy: id, name: '' });
  }
  for (const { id, addresses, dress } of restrictingPolicies(group)) {
    const objection = addresses && judgeAddress(check, addresses, { policy: id, name: '' });
    if (objection !== undefined) return refuse(check, objection, { policy: id, name: '', dress });
  }
  return undefined;
}

function judgeAddress(check: Check, test: AddressTest, of: Pick<RuleName, 'policy' | 'name'>): Denial | undefined {
  const objection = test(check.request.clientIp);
  check.trace?.note({ kind: 'addresses', ...traced(of), objection });
  return objection;
}

function decideByRules(check: Check, group: PolicyGroup, found: FoundMatches): Decision | Promise<Decision> {
  if (group.refusedBy !== undefined)
    return refuse(check, denial('policy_invalid'), { policy: group.refusedBy, name: '' });
  const published = findMetadata(group.nearest, check.request);
  if (published !== undefined)
    return answerMetadata(about(check, { policy: published.policy.id, name: '' }, nobody), published.metadata);
  const candidates = found.rules.candidates();
  const listening = check.trace && traceSelection(check.trace, group, candidates);
  const selection = selectRules<CompiledRule>(candidates, check.request, listening);
  if (selection.kind === 'none') return refuse(check, denial('no_rule'), nobodyOf(group));
  if (selection.kind === 'denied') return refuse(check, selection.denial, selection.rule);
  check.trace?.note({
    kind: 'selection',
    matched: selection.matched.map(traced),
    beside: selection.beside.map(traced),
  });
  const rules = joinLists(selection.matched, selection.beside);
  if (!rules.every(isAllowing))
    return refuse(
      check,
      denial('policy_invalid'),
      rules.find((rule) => !isAllowing(rule)),
    );
  const demands = floorDemands(check, found);
  if ('kind' in demands) return demands;
  for (const rule of joinLists<Demand, AllowingRule>(demands, rules)) {
    const objection = rule.addresses && judgeAddress(check, rule.addresses, rule);
    if (objection !== undefined) return refuse(check, objection, rule);
  }
  // What stands beside restricts and says nothing else: the deciding rule is one of those matched.
  const deciding = decidingRule(selection.beside.length === 0 ? rules : rules.slice(0, selection.matched.length));
  if (deciding === undefined) return refuse(check, denial('no_rule'));
  return authenticateAll(check, { deciding, rules, demands });
}

function isAllowing(rule: CompiledRule): rule is AllowingRule {
  return rule.access !== 'Refused';
}

/** No rule decided; the policies whose rules were asked are named all the same. */
function nobodyOf({ nearest, dress }: PolicyGroup): Origin {
  return { policy: nearest.map(({ id }) => id).join(','), name: '', dress };
}

/** What the floor asks for beside the rules (S8); a Decision where it denies at once. */
function floorDemands(check: Check, found: FoundMatches): readonly Demand[] | Decision {
  if (found.demands.length === 0) return noDemands;
  const demands = new Set<Demand>();
  for (const one of found.demands) {
    for (const candidate of one.candidates()) {
      const { fate, objection } = restricts(candidate, check);
      check.trace?.note({ kind: 'floor-rule', ...traced(candidate.rule), fate });
      if (objection !== undefined) return refuse(check, objection, candidate.rule);
      if (fate === 'hits') demands.add(candidate.rule);
    }
  }
  return [...demands];
}

const noDemands: readonly Demand[] = [];

/** What a request must pass. */
interface Hurdles {
  readonly deciding: AllowingRule;
  readonly rules: readonly AllowingRule[];
  readonly demands: readonly Demand[];
}

/** Every rule's identity and authorization must hold, and the floor's on the deciding rule's identity; what goes upstream is the deciding rule's. */
function authenticateAll(check: Check, hurdles: Hurdles): Decision | Promise<Decision> {
  const { deciding, rules } = hurdles;
  const ordered =
    rules.length === 1 ? rules : [deciding, ...rules.filter((rule) => rule !== deciding && rule.access !== 'Public')];
  const objection = ordered.length < 2 ? undefined : judgeCredentials(check, hurdles, ordered);
  if (objection !== undefined) return refuse(check, objection, deciding);
  const context: AuthenticationContext = {
    memo: ordered.length < 2 ? undefined : new Map(),
    isShadow: check.isShadow,
    resourceMetadata: deciding.resourceMetadata,
  };
  return authenticateFrom({ check, hurdles, ordered, context }, 0, nobody);
}

/** Each rule by itself would be content with the credential of its own places. */
function judgeCredentials(
  { request }: Check,
  { deciding, demands }: Hurdles,
  ordered: readonly AllowingRule[],
): Denial | undefined {
  const asking = ordered.filter(({ access }) => access !== 'Public' || demands.length > 0);
  const providers = asking.flatMap((rule) => rule.providers);
  const { resourceMetadata } = deciding;
  return judgeTogether(providers, request, { realm: request.host, resourceMetadata });
}

/** One credential that several rules ask for. */
interface Asking {
  readonly check: Check;
  readonly hurdles: Hurdles;
  /** The deciding rule first. */
  readonly ordered: readonly AllowingRule[];
  readonly context: AuthenticationContext;
}

function authenticateFrom(asking: Asking, index: number, caller: Caller): Decision | Promise<Decision> {
  const { check, hurdles, ordered } = asking;
  const rule = ordered[index];
  if (rule === undefined) return permit(check, hurdles, caller);
  const next = (result: IdentifyResult): Decision | Promise<Decision> => {
    check.trace?.note({ kind: 'identity', ...traced(rule), result });
    if ('denial' in result)
      return refuse(check, result.denial, whoAsked(hurdles, rule, result.denial), nobody, result.refused);
    const goOn = (objection: Objection): Decision | Promise<Decision> =>
      objection === undefined
        ? authenticateFrom(asking, index + 1, index === 0 ? result : caller)
        : refuse(check, objection, rule, result);
    const objection = rule.authorization?.(toInput(check, rule, rule, result));
    return objection instanceof Promise ? objection.then(goOn) : goOn(objection);
  };
  const result = identify(rule, check.request, asking.context, index === 0 && hurdles.demands.length > 0);
  return result instanceof Promise ? result.then(next) : next(result);
}

/** The rule whose asking for an identity the denial answers: the floor's, where the deciding rule itself would not have asked (S8). */
function whoAsked({ deciding, demands }: Hurdles, rule: AllowingRule, { code }: Denial): Origin {
  const [demand] = demands;
  const asks = rule.access !== 'Public' && (rule.access !== 'Optional' || code !== 'credential_missing');
  return demand === undefined || rule !== deciding || asks ? rule : { ...demand, dress: rule.dress };
}

function permit(check: Check, hurdles: Hurdles, caller: Caller): Decision | Promise<Decision> {
  const { deciding, demands } = hurdles;
  const { identity, peer } = caller;
  const needsIdentity = demands.length > 0 || deciding.access === 'Authenticated' || deciding.access === 'Restricted';
  // A rule that asks for an identity and has none must never get here; if a change of the code lets it, it is denied.
  if (needsIdentity && !identity.authenticated) return refuse(check, denial('internal_error'), deciding);
  const seen = demands.length === 0 ? identity : asTheFloorSees(identity, deciding);
  const judgeFrom = (index: number): Decision | Promise<Decision> => {
    const demand = demands[index];
    if (demand === undefined) return passOn(check, hurdles, caller);
    const goOn = (objection: Objection): Decision | Promise<Decision> =>
      objection === undefined
        ? judgeFrom(index + 1)
        : refuse(check, objection, { ...demand, dress: deciding.dress }, caller);
    const objection = demand.authorization?.(toInput(check, demand, deciding, { identity: seen, peer }));
    return objection instanceof Promise ? objection.then(goOn) : goOn(objection);
  };
  return judgeFrom(0);
}

/** Everything holds: what goes upstream, where nothing of it is refused. */
function passOn(check: Check, { deciding, rules }: Hurdles, caller: Caller): Decision {
  const removal = removalFor(deciding, rules)(check.request);
  if ('denial' in removal) return refuse(check, removal.denial, deciding, caller);
  const upstream = deciding.upstream({
    headers: check.request.headers,
    scope: () => scopeOf(check, deciding, caller),
    owned: check.ownedBy(deciding.namespace),
    removal: removal.changes,
    kept: deciding.keptHeaders(check.request),
  });
  if ('code' in upstream) return refuse(check, upstream, deciding, caller);
  const responseHeaders = caller.responseHeaders ?? noHeaders;
  return allow(about(check, deciding, caller), upstream, joinLists(deciding.responseHeaders, responseHeaders));
}

const noHeaders: readonly HeaderEntry[] = [];

/** A provider of a namespace has its namespace before its name for the floor, so that no team can pass its own off as the cluster's (S8). */
function asTheFloorSees(identity: Identity, { ownProviders, namespace }: AllowingRule): Identity {
  return ownProviders.has(identity.provider)
    ? { ...identity, provider: `${namespace}/${identity.provider}` }
    : identity;
}

/** `asked` is the rule whose providers the identity is of: the floor's demands have none of their own. */
function toInput(check: Check, rule: RuleName, asked: AllowingRule, caller: Caller): AuthorizationInput {
  const { trace, request } = check;
  const tell = trace && ((test: TracedTest): void => trace.note({ kind: 'test', ...traced(rule), ...test }));
  const { identity } = caller;
  const challenge: AuthorizationInput['challenge'] = (error) =>
    asked.challengeShortfall(request, error, { realm: request.host, resourceMetadata: asked.resourceMetadata });
  const { reviews } = check;
  const scope = (): Scope => scopeOf(check, rule, caller);
  return { identity, challenge, now: check.now, scope, reviews, tell };
}

/** What the expressions of a rule see (S23). */
function scopeOf(check: Check, { namespace, policy, name }: RuleName, { identity, peer }: Caller): Scope {
  return {
    request: check.expressions,
    identity,
    peer,
    route: check.request.route,
    policy: { namespace, name: namespace === '' ? policy : policy.slice(namespace.length + 1), rule: name },
  };
}

/** What a denial says of where it comes from. */
interface Origin extends Pick<RuleName, 'policy' | 'name'> {
  readonly dress?: DenialDressing | undefined;
}

function refuse(
  check: Check,
  reason: Denial,
  origin?: Origin,
  caller: Caller = nobody,
  refused?: RefusedCredential,
): Decision {
  const dress = origin?.dress ?? plainDenial;
  const said = about(check, origin, caller);
  return deny(
    refused === undefined ? said : { ...said, refused },
    reason,
    dress(reason, check.id, check.request.headers),
  );
}

function about(check: Check, rule: Origin | undefined, { identity, peer }: Caller): DecisionAbout {
  const { id, request } = check;
  const said = { id, policy: rule?.policy ?? '', rule: rule?.name ?? '', identity, request };
  return peer === undefined || peer === identity ? said : { ...said, peer };
}
