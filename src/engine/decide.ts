import { foldPath } from '../canonical/path.ts';
import {
  allow,
  denial,
  deny,
  type Decision,
  type DecisionAbout,
  type Denial,
  type HeaderEntry,
} from '../core/decision.ts';
import { anonymous, type Identity } from '../core/identity.ts';
import type { Request } from '../core/request.ts';
import { RequestScope, type Scope } from '../expressions/scope.ts';
import type { VerifyResult } from '../phases/identity/identity-provider.ts';
import type { AllowingRule, CompiledRule, DeniedRule, RuleName } from './compile-policy.ts';
import type { HostGroup } from './host-table.ts';
import { deniesMethod, type RouteIndex } from './route-index.ts';
import { selectRules } from './select-rules.ts';
import type { Snapshot } from './snapshot.ts';

/** Names the policy by a context extension; this version knows no policy that is attached so, and denies (S5). */
const policyExtension = 'portcullis.dev/policy';

/**
 * The way of a request: the policies that cover it, their Denied rules and addresses, the Allow rules of the nearest, the identity,
 * what it may, and what goes upstream. `time` is what expressions take for now. Answers at once where nothing has to be awaited. May throw; the caller makes a deny of it.
 */
export function decide(snapshot: Snapshot, request: Request, id: string, time: number): Decision | Promise<Decision> {
  const check: Check = { snapshot, request, id, time };
  const floor = snapshot.refusedFloors[0];
  if (floor !== undefined) return refuse(check, denial('policy_invalid', `The cluster policy ${floor} was refused.`));
  if (request.contextExtensions.has(policyExtension)) return refuse(check, denial('no_policy'));
  const group = snapshot.hosts.find(request.host);
  if (group === undefined) return refuse(check, denial('no_policy'));
  const path = acceptPath(group, request);
  if (typeof path !== 'string') return refuse(check, path);
  const folded = foldPath(path);
  return (
    denyByRule(check, group.denied, path, folded) ??
    denyByAddress(check, group) ??
    decideByRules(check, group, path, folded)
  );
}

interface Check {
  readonly snapshot: Snapshot;
  readonly request: Request;
  readonly id: string;
  /** When the check came, milliseconds since the epoch. */
  readonly time: number;
}

/** The path for matching, where every covering policy accepts its form (S11). */
function acceptPath(group: HostGroup, request: Request): string | Denial {
  const hasParameters = request.path !== request.pathWithoutParameters;
  if (hasParameters && !group.stripParameters) {
    return denial(
      'path_not_canonical',
      'The path is refused: it has parameters (;), which the policies of the host do not accept.',
    );
  }
  const escape = request.encodedReserved.find((reserved) => !group.allowEncoded.has(reserved));
  if (escape !== undefined) {
    return denial(
      'path_not_canonical',
      `The path is refused: it has ${escape}, which the policies of the host do not accept.`,
    );
  }
  return request.pathWithoutParameters;
}

function denyByRule(check: Check, denied: RouteIndex<DeniedRule>, path: string, folded: string): Decision | undefined {
  for (const { rule, match } of denied.candidates(path, folded)) {
    if (!deniesMethod(match.methods, check.request.method)) continue;
    if (rule.addresses !== undefined && rule.addresses(check.request.clientIp) === undefined) continue;
    return refuse(check, denial(rule.code), rule);
  }
  return undefined;
}

function denyByAddress(check: Check, group: HostGroup): Decision | undefined {
  for (const { policy, test } of group.addresses) {
    const objection = test(check.request.clientIp);
    if (objection !== undefined) return refuse(check, objection, { policy, name: '' });
  }
  return undefined;
}

function decideByRules(check: Check, group: HostGroup, path: string, folded: string): Decision | Promise<Decision> {
  if (group.refusedBy !== undefined)
    return refuse(check, denial('policy_invalid'), { policy: group.refusedBy, name: '' });
  const selection = selectRules<CompiledRule>(group.rules.candidates(path, folded), check.request.method);
  if (selection.kind === 'none') return refuse(check, denial('no_rule'));
  const rules: AllowingRule[] = [];
  for (const rule of [...selection.matched, ...selection.beside]) {
    if (rule.access === 'Refused') return refuse(check, denial('policy_invalid'), rule);
    rules.push(rule);
  }
  for (const rule of rules) {
    const objection = rule.addresses?.(check.request.clientIp);
    if (objection !== undefined) return refuse(check, objection, rule);
  }
  // What stands beside restricts and says nothing else: the deciding rule is one of those matched.
  return authenticateAll(check, rules, decidingRule(rules.slice(0, selection.matched.length)));
}

/** The first by namespace, name and position, among those that restrict where there are any: a Public rule adds nothing beside one (S14). */
function decidingRule(matched: readonly AllowingRule[]): AllowingRule | undefined {
  const restricting = matched.filter(({ access }) => access !== 'Public');
  const candidates = restricting.length > 0 ? restricting : matched;
  if (candidates.length < 2) return candidates[0];
  return candidates.toSorted((a, b) => compareNames(a, b))[0];
}

function compareNames(a: RuleName, b: RuleName): number {
  if (a.policy !== b.policy) return a.policy < b.policy ? -1 : 1;
  return a.position - b.position;
}

/** Every rule's identity and authorization must hold; what goes upstream is the deciding rule's. */
function authenticateAll(
  check: Check,
  rules: readonly AllowingRule[],
  deciding: AllowingRule | undefined,
): Decision | Promise<Decision> {
  if (deciding === undefined) return refuse(check, denial('no_rule'));
  const ordered = [deciding, ...rules.filter((rule) => rule !== deciding && rule.access !== 'Public')];
  return authenticateFrom(check, ordered, 0, deciding, anonymous);
}

function authenticateFrom(
  check: Check,
  rules: readonly AllowingRule[],
  index: number,
  deciding: AllowingRule,
  identity: Identity,
): Decision | Promise<Decision> {
  const rule = rules[index];
  if (rule === undefined) return permit(check, deciding, identity);
  const next = (result: VerifyResult): Decision | Promise<Decision> => {
    if ('denial' in result) return refuse(check, result.denial, rule);
    const objection = rule.authorization?.(result.identity, check.request.host);
    if (objection !== undefined) return refuse(check, objection, rule, result.identity);
    return authenticateFrom(check, rules, index + 1, deciding, index === 0 ? result.identity : identity);
  };
  const result = rule.authentication?.(check.request, check.request.host) ?? { identity: anonymous };
  return result instanceof Promise ? result.then(next) : next(result);
}

function permit(check: Check, rule: AllowingRule, identity: Identity): Decision {
  // A rule that asks for an identity and has none must never get here; if a change of the code lets it, it is denied.
  if (rule.access !== 'Public' && !identity.authenticated) return refuse(check, denial('internal_error'), rule);
  const removal = rule.removeCredential(check.request);
  if ('denial' in removal) return refuse(check, removal.denial, rule, identity);
  const upstream = rule.upstream({
    headers: check.request.headers,
    scope: () => scopeOf(check, rule, identity),
    owned: check.snapshot.ownedBy(rule.namespace),
    removal: removal.changes,
    kept: rule.keptHeaders,
  });
  if ('code' in upstream) return refuse(check, upstream, rule, identity);
  return allow(about(check, rule, identity), upstream, rule.responseHeaders);
}

/** What the expressions of a rule see. */
function scopeOf(check: Check, rule: RuleName, identity: Identity): Scope {
  return {
    request: new RequestScope(check.request, check.id, check.time),
    identity,
    peer: undefined,
    route: undefined,
    policy: { namespace: rule.namespace, name: rule.policy.slice(rule.namespace.length + 1), rule: rule.name },
  };
}

/** What a denial says of where it comes from. */
interface Origin extends Pick<RuleName, 'policy' | 'name'> {
  readonly responseHeaders?: readonly HeaderEntry[];
}

function refuse(check: Check, reason: Denial, origin?: Origin, identity: Identity = anonymous): Decision {
  return deny(about(check, origin, identity), reason, origin?.responseHeaders ?? []);
}

function about(check: Check, rule: Origin | undefined, identity: Identity): DecisionAbout {
  return { id: check.id, policy: rule?.policy ?? '', rule: rule?.name ?? '', identity, request: check.request };
}
