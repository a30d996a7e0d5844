import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { PatternBudget } from '../std/pattern-budget.ts';
import { createProblemList } from './problem-list.ts';
import { readHostPattern } from './read-host.ts';
import { readMatch } from './read-match.ts';
import type { SpecName } from './spec-name.ts';
import { routeKinds, type AccessPolicySpec, type MatchSpec, type PolicySpec, type TargetSpec } from './spec.ts';

/**
 * What can still be read of a refused policy, so that it can deny what it would have governed and no wider policy decides for it (S4).
 * `rules` holds a rule for each whose matches are readable; where one is not, the policy takes every request that it covers.
 */
export interface RefusedPolicy extends SpecName {
  readonly kind: 'AccessPolicy' | 'ClusterAccessPolicy';
  readonly attachment: AccessPolicySpec['attachment'];
  /** Empty for a cluster policy that stands over every request, and for a policy that is attached otherwise. */
  readonly hosts: readonly string[];
  readonly targets: readonly TargetSpec[];
  readonly rules: readonly RefusedRule[] | 'every-request';
  /** What a generation that was in force held over requests that other policies decide, and still does; undefined for one that never was valid. */
  readonly keeps: Pick<AccessPolicySpec, 'paths' | 'addresses' | 'setsHeaders'> | undefined;
}

export interface RefusedRule {
  readonly name: string;
  readonly matches: readonly MatchSpec[];
  /** True where it was meant to deny, so that it denies beside any other rule. */
  readonly isDenied: boolean;
}

const everyEscape = ['%2F', '%23', '%25', '%3F'];

/** Reads hosts and matches out of whatever the document is; undefined where it does not say what it governs, and where it is a shadow. */
export function salvagePolicy(
  kind: RefusedPolicy['kind'],
  { namespace, name }: SpecName,
  spec: JsonValue | undefined,
): RefusedPolicy | undefined {
  if (kind === 'ClusterAccessPolicy') return salvageFloor(name, isJsonObject(spec) ? spec : {});
  if (!isJsonObject(spec) || spec['mode'] === 'Shadow') return undefined;
  const hosts = readHosts(spec['hosts']);
  const targets = readTargets(spec['targetRefs']);
  const attachment = attachmentOf(spec);
  return orNothing({ kind, namespace, name, attachment, hosts, targets, rules: readRules(spec), keeps: undefined });
}

/** A document that says several things at once denies for each that can be read. */
function attachmentOf(spec: JsonObject): RefusedPolicy['attachment'] {
  if (spec['hosts'] !== undefined) return 'Hosts';
  if (spec['targetRefs'] !== undefined) return 'Targets';
  return spec['attachment'] === 'Named' ? 'Named' : 'Hosts';
}

/** The policy; undefined where nothing is left that it could deny. */
export function orNothing(policy: RefusedPolicy): RefusedPolicy | undefined {
  const { attachment, hosts, targets } = policy;
  return attachment !== 'Named' && hosts.length === 0 && targets.length === 0 ? undefined : policy;
}

/** The routes that can be read; of one whose rule cannot, the whole route. */
function readTargets(written: JsonValue | undefined): TargetSpec[] {
  if (!Array.isArray(written)) return [];
  const refs: readonly JsonValue[] = written;
  const targets = refs.slice(0, maxTargets).flatMap((ref): TargetSpec[] => {
    if (!isJsonObject(ref)) return [];
    const { name, sectionName } = ref;
    const kind = routeKinds.find((one) => one === ref['kind']);
    if (kind === undefined || typeof name !== 'string' || name === '') return [];
    const isReadable = Object.keys(ref).every((field) => targetFields.has(field)) && typeof sectionName === 'string';
    return [{ kind, name, section: isReadable ? sectionName : '' }];
  });
  return distinctTargets(targets);
}

const targetFields: ReadonlySet<string> = new Set(['group', 'kind', 'name', 'sectionName']);
const maxTargets = 16;

function distinctTargets(targets: readonly TargetSpec[]): TargetSpec[] {
  return [...new Map(targets.map((target) => [JSON.stringify(target), target])).values()];
}

/** Without readable hosts it stands over every request; with anything beside rules, what that would have restricted is not known. */
function salvageFloor(name: string, spec: JsonObject): RefusedPolicy | undefined {
  if (spec['mode'] === 'Shadow') return undefined;
  const hosts = readHosts(spec['hosts']);
  if (spec['hosts'] !== undefined && hosts.length === 0) return undefined;
  const isRulesAlone = Object.keys(spec).every((field) => ['hosts', 'mode', 'onInvalid', 'rules'].includes(field));
  const rules = isRulesAlone ? readRules(spec) : 'every-request';
  return {
    kind: 'ClusterAccessPolicy',
    namespace: '',
    name,
    attachment: 'Hosts',
    hosts,
    targets: [],
    rules,
    keeps: undefined,
  };
}

/** A policy that was in force, as one that denies: what it decided is denied now, and what it restricted it restricts (`onInvalid: Deny`). */
export function toRefusedPolicy(spec: PolicySpec): RefusedPolicy {
  const { kind, namespace, name, hosts } = spec;
  const attachment = spec.kind === 'AccessPolicy' ? spec.attachment : 'Hosts';
  const targets = spec.kind === 'AccessPolicy' ? spec.targets : [];
  const rules = spec.rules.map((rule) => ({
    name: rule.name,
    matches: rule.matches,
    isDenied: rule.access === 'Denied',
  }));
  const isEvery = spec.kind === 'ClusterAccessPolicy' && spec.addresses !== undefined;
  const keeps =
    spec.kind === 'AccessPolicy'
      ? { paths: spec.paths, addresses: spec.addresses, setsHeaders: spec.setsHeaders }
      : undefined;
  return { kind, namespace, name, attachment, hosts, targets, rules: isEvery ? 'every-request' : rules, keeps };
}

/** All that any of them would have governed. */
export function mergeRefusedPolicies(policies: readonly RefusedPolicy[]): RefusedPolicy | undefined {
  const [first, ...others] = policies;
  if (first === undefined || others.length === 0) return first;
  const isEveryHost = first.kind === 'ClusterAccessPolicy' && policies.some(({ hosts }) => hosts.length === 0);
  const isEveryRequest = policies.some(({ rules }) => rules === 'every-request');
  const rules = policies.flatMap((policy) => (policy.rules === 'every-request' ? [] : policy.rules));
  return {
    ...first,
    hosts: isEveryHost ? [] : [...new Set(policies.flatMap(({ hosts }) => hosts))],
    targets: distinctTargets(policies.flatMap(({ targets }) => targets)),
    rules: isEveryRequest ? 'every-request' : rules,
    keeps: policies.find(({ keeps }) => keeps !== undefined)?.keeps,
  };
}

function readHosts(written: JsonValue | undefined): string[] {
  if (!Array.isArray(written)) return [];
  const patterns = written.flatMap((host) => {
    const read = typeof host === 'string' ? readHostPattern(host) : { why: '' };
    return 'pattern' in read ? [read.pattern] : [];
  });
  return [...new Set(patterns)];
}

/** What no valid policy passes: nobody is held up by what a refused one holds. */
const maxRules = 64;
const maxMatches = 16;

const matchFields: ReadonlySet<string> = new Set(['path', 'methods', 'headers', 'queryParams']);
const pathTypes: ReadonlySet<JsonValue | undefined> = new Set(['Exact', 'PathPrefix', 'RegularExpression']);

function readRules(spec: JsonObject): readonly RefusedRule[] | 'every-request' {
  const { rules } = spec;
  // A second, misspelt list of rules would be one whose matches nobody can read.
  if (!Array.isArray(rules) || rules.length === 0 || rules.length > maxRules) return 'every-request';
  const read: RefusedRule[] = [];
  const { patterns } = createProblemList(nowhere);
  for (const rule of rules) {
    const written = isJsonObject(rule) ? rule['matches'] : undefined;
    if (!isJsonObject(rule) || !Array.isArray(written) || written.length === 0 || written.length > maxMatches)
      return 'every-request';
    const matches = written.map((match: JsonValue) => readLooseMatch(match, patterns));
    if (matches.includes(undefined)) return 'every-request';
    read.push({
      name: typeof rule['name'] === 'string' ? rule['name'] : '',
      matches: matches.filter((match) => match !== undefined),
      isDenied: rule['access'] === 'Denied',
    });
  }
  return read;
}

const nowhere = { problems: [], placeOf: () => ({ source: '', line: undefined, column: undefined }) };

/** A match by path and method; conditions on headers and parameters are left out, so that it takes more and never less. */
function readLooseMatch(match: JsonValue, patterns: PatternBudget): MatchSpec | undefined {
  if (!isJsonObject(match) || Object.keys(match).some((field) => !matchFields.has(field))) return undefined;
  const { path, methods } = match;
  if (methods !== undefined && !isTexts(methods)) return undefined;
  if (path !== undefined && !isPath(path)) return undefined;
  const problems = createProblemList(nowhere);
  return readMatch(
    { ...(path === undefined ? {} : { path }), ...(methods === undefined ? {} : { methods }) },
    everyEscape,
    [],
    problems,
    patterns,
  );
}

type PathShape = { readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'; readonly value: string };

function isPath(path: JsonValue): path is PathShape & JsonObject {
  return (
    isJsonObject(path) &&
    pathTypes.has(path['type']) &&
    typeof path['value'] === 'string' &&
    Object.keys(path).length === 2
  );
}

function isTexts(value: JsonValue): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((element) => typeof element === 'string');
}
