import { isJsonObject, type JsonValue } from '../core/json.ts';
import { formatProblem } from '../core/problem.ts';
import type { CandidateFate, RestrictingFate, TracedRule } from '../core/trace.ts';
import type { ExplainedDecision, ExplainedIdentity, ExplainedStep, Explanation } from '../runtime/explanation.ts';
import { printable } from '../std/printable.ts';
import { outcomeInWords } from './outcome-in-words.ts';

/** The explanation for people: the request, a line or more a step, the decision. */
export function formatExplanation({ madeUp, problems, request, steps, decision, notes }: Explanation): string {
  const lines = [
    ...(madeUp
      ? ['*** MADE-UP IDENTITY: nobody signed these claims; this is no proof that anybody could have them. ***']
      : []),
    ...problems.map((problem) => `not in force: ${formatProblem(problem)}`),
    ...(request === undefined
      ? ['request    cannot be read in one way']
      : [
          `request    ${request.method} ${request.host} ${request.path}${request.rawPath === request.path ? '' : ` (received as ${request.rawPath})`}`,
          `client     ${request.clientIp ?? 'unknown'}`,
        ]),
    ...formatSteps(steps),
    ...formatDecision(decision),
    ...notes.map((note) => `note       ${note}`),
    ...(madeUp ? ['*** MADE-UP IDENTITY ***'] : []),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

/** Rules of one policy that follow each other and are passed over for their path alone share a line: of a large policy it is nearly all. */
function formatSteps(steps: readonly ExplainedStep[]): string[] {
  const lines: string[] = [];
  for (let index = 0; index < steps.length; index += 1) {
    const run = runOfOtherPaths(steps, index);
    const [first] = run;
    if (first !== undefined && run.length > 1) {
      lines.push(`rule?      ${first.policy} ${run.map(({ rule }) => rule).join(', ')}: ${candidateInWords.path}`);
      index += run.length - 1;
      continue;
    }
    const step = steps[index];
    if (step !== undefined) lines.push(...formatStep(step));
  }
  return lines;
}

function runOfOtherPaths(steps: readonly ExplainedStep[], from: number): readonly TracedRule[] {
  const run: TracedRule[] = [];
  for (const step of steps.slice(from)) {
    if (step.kind !== 'candidate' || step.fate !== 'path' || step.policy !== (run[0]?.policy ?? step.policy)) break;
    run.push(step);
  }
  return run;
}

function formatStep(step: ExplainedStep): string[] {
  switch (step.kind) {
    case 'covering':
      if (step.policies.length === 0) return ['covered by nothing'];
      return step.policies.map(
        ({ policy, role, because }) => `covered by ${policy}: ${roleInWords[role]} (${because})`,
      );
    case 'path':
      return [`matched    with the path ${step.path}`];
    case 'denied-rule':
      return [`denied?    ${nameOf(step)}: ${restrictingInWords[step.fate]}`];
    case 'floor-rule':
      return [`floor?     ${nameOf(step)}: ${restrictingInWords[step.fate]}`];
    case 'candidate':
      return [`rule?      ${nameOf(step)} (${step.access}, ${step.match}): ${candidateInWords[step.fate]}`];
    case 'selection':
      return [
        ...step.matched.map((rule) => `decides    ${nameOf(rule)}`),
        ...step.beside.map((rule) => `beside     ${nameOf(rule)} must hold too: it matches but for case or a slash`),
      ];
    case 'search-ended':
      return step.by.map(
        (rule) => `ended by   ${nameOf(rule)}: it ranks higher and was missed, so what is below opens nothing`,
      );
    case 'addresses':
      return [`addresses  ${nameOf(step)}: ${verdict(step.objection)}`];
    case 'identity':
      return [
        ...(step.peer === undefined ? [] : [`peer       ${nameOf(step)}: ${inWords(step.peer)}`]),
        `identity   ${nameOf(step)}: ${step.identity === undefined ? verdict(step.objection) : inWords(step.identity)}`,
      ];
    case 'test': {
      const place = step.block === undefined ? '' : ` anyOf[${step.block}]`;
      return [
        `test       ${nameOf(step)}${place} ${step.what}: asks ${shown(step.asks)}, has ${shown(step.value)}: ${verdict(step.objection)}`,
      ];
    }
  }
}

function nameOf({ policy, rule }: TracedRule): string {
  return rule === '' ? policy : `${policy} ${rule}`;
}

const roleInWords = {
  decides: 'its rules decide',
  restricts: 'it only restricts, a nearer one decides',
  floor: 'the floor, which only restricts',
} as const;

const restrictingInWords: Readonly<Record<RestrictingFate, string>> = {
  hits: 'yes',
  method: 'no, of another method',
  'header-or-query': 'no, for other headers or parameters',
  ambiguous: 'a header or parameter is there twice',
  'address-not-refused': 'no, its addresses do not refuse the client',
  condition: 'no, a condition of it is false',
};

const candidateInWords: Readonly<Record<CandidateFate, string>> = {
  named: 'matches, with its method named',
  general: 'matches',
  loose: 'matches only when case and a trailing slash are ignored',
  method: 'passed over: another method',
  'header-or-query': 'passed over: other headers or parameters',
  ambiguous: 'a header or parameter is there twice',
  path: 'passed over: another path',
  'lower-rank': 'passed over: a rule of higher rank matches',
};

function verdict(objection: { readonly code: string; readonly message: string } | undefined): string {
  return objection === undefined ? 'holds' : `FAILS: ${objection.message} [${objection.code}]`;
}

function inWords({ authenticated, provider, subject, scopes, roles, claims }: ExplainedIdentity): string {
  if (!authenticated) return 'anonymous';
  const parts = [`subject ${shown(subject)}`, `scopes ${shown(scopes)}`, `roles ${shown(roles)}`];
  const names = Object.entries(claims).map(([name, value]) => `${name} ${shown(value)}`);
  return `of ${provider}: ${parts.join(', ')}; claims: ${names.join(', ') || 'none'}`;
}

/** What is told in words stands in parentheses, a value as JSON. */
function shown(value: JsonValue): string {
  if (typeof value === 'string' && /^\(.*\)$/.test(value)) return value;
  return JSON.stringify(value);
}

const conditionHint =
  'a key that is missing is an error: ask first, with has(…) or "name" in …, or give a value in its place with [?"name"].orValue(…)';
const keysHint = 'offline no keys are fetched: give --jwks FILE, or --claims for a made-up identity';

function formatDecision(decision: ExplainedDecision): string[] {
  const { status, code, message = '', policy, rule } = decision;
  const by = policy === '' ? '' : ` by ${rule === '' ? policy : `${policy} ${rule}`}`;
  const isPlain = saysNothingNew(decision);
  const answered = decision.responseHeaders.filter(([name]) => !(isPlain && name === 'content-type'));
  return [
    decision.decision === 'allow'
      ? `ALLOWED${by}`
      : `${outcomeInWords(status)} ${status} ${code ?? ''}${by}: ${message}`,
    ...(code === 'keys_unavailable' ? [keysHint] : []),
    ...(code === 'condition_error' ? [conditionHint] : []),
    ...decision.setHeaders.map(([name, value]) => `  upstream + ${name}: ${shown(value)}`),
    ...spellingsOf(decision.removeHeaders).map((names) => `  upstream - ${names.join(', ')}`),
    ...decision.removeQueryParameters.map((name) => `  upstream - ?${name}`),
    ...answered.map(([name, value]) => `  answer   + ${name}: ${value}`),
    ...(decision.body === '' || isPlain ? [] : [`  answer   ${decision.body}`]),
    ...decision.shadow.map((one) => `shadow     ${one.policy} ${one.rule}: would have been ${one.code}`),
  ];
}

/** Removed from every request, whatever the policies say: no news about this one. */
const alwaysRemoved = 'x-envoy-auth-failure-mode-allowed';

/** Names that differ only in `_` for `-` are one header to whoever is told of them. */
function spellingsOf(names: readonly string[]): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const hyphened = name.replaceAll('_', '-');
    if (hyphened !== alwaysRemoved) groups.set(hyphened, [...(groups.get(hyphened) ?? []), name]);
  }
  return [...groups.values()];
}

const plainMembers: ReadonlySet<string> = new Set(['error', 'message', 'decision']);

/** True for the body that no policy dressed: code and message, which are told already, and an id that is in no log. */
function saysNothingNew({ body, code, message }: ExplainedDecision): boolean {
  try {
    const value: JsonValue = JSON.parse(body);
    if (!isJsonObject(value) || !Object.keys(value).every((name) => plainMembers.has(name))) return false;
    return value['error'] === code && value['message'] === message;
  } catch {
    return false;
  }
}
