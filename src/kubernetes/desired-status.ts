import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { ancestorsOf } from './ancestors.ts';
import { isConditionType, toConditionObject, type ConditionVerdict, type DocumentFacts } from './conditions.ts';
import { judgeConditions } from './judge-conditions.ts';
import { toTime } from './micro-time.ts';

export interface StatusInput extends DocumentFacts {
  /** As its author wrote it. */
  readonly value: JsonValue;
  /** When the keys of a provider were fetched, milliseconds since the epoch. */
  readonly keysFetchedAt: number | undefined;
}

export interface DesiredStatus {
  readonly status: JsonObject;
  /** Conditions whose status or reason is another than before: what an Event tells. */
  readonly transitions: readonly Transition[];
}

export interface Transition extends ConditionVerdict {
  /** Status and reason before, as `standingOf` gives them; undefined where there was no such condition. */
  readonly was: string | undefined;
}

/** `True/Programmed`. */
export function standingOf({ status, reason }: Pick<ConditionVerdict, 'status' | 'reason'>): string {
  return `${status}/${reason}`;
}

const maxProblems = 16;
/** Keys are fetched every few minutes; a status that says so each time would be a write each time. */
const keyTimeStepMs = 3_600_000;

/**
 * The whole status that a document should have. `before` is what it has: a condition that stays keeps its time. Undefined where nothing
 * would be different, so that an unchanged object costs no write.
 */
export function desiredStatus(input: StatusInput, before: JsonObject, now: number): DesiredStatus | undefined {
  const { document } = input;
  const generation = document.version?.generation ?? 0;
  const known = conditionsOf(before);
  const verdicts = judgeConditions(input);
  const transitions = verdicts.flatMap((verdict): Transition[] => {
    const before = known.get(verdict.type);
    const was = before && `${textOf(before['status'])}/${textOf(before['reason'])}`;
    return was === standingOf(verdict) ? [] : [{ ...verdict, was }];
  });
  const conditions = verdicts.map((verdict) => {
    const was = known.get(verdict.type);
    const since = was?.['status'] === verdict.status ? was['lastTransitionTime'] : undefined;
    return toConditionObject(verdict, generation, typeof since === 'string' ? since : toTime(now));
  });
  const { replicas } = input;
  const ancestors = ancestorsOf(document, verdicts, before['ancestors'], toTime(now));
  const status: JsonObject = {
    observedGeneration: generation,
    ...(document.servedGeneration === undefined ? {} : { servedGeneration: document.servedGeneration }),
    replicas: `${replicas.agreeing}/${replicas.agreeing + replicas.pending + replicas.disagreeing}`,
    ...summaryOf(input),
    conditions,
    ...(document.conflicts.length === 0
      ? {}
      : {
          conflicts: document.conflicts
            .slice(0, 64)
            .map(({ host, owner }) => (owner === undefined ? { host } : { host, owner })),
        }),
    ...(document.problems.length === 0 ? {} : { problems: problemsOf(input) }),
    ...(ancestors.length === 0 ? {} : { ancestors }),
    ...keysOf(input, before),
  };
  return isSame(status, withoutOthers(before)) ? undefined : { status, transitions };
}

function problemsOf({ document }: StatusInput): JsonValue {
  const sorted = document.problems.toSorted(
    (a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'),
  );
  return sorted.slice(0, maxProblems).map(({ severity, code, field, message }) => ({
    severity,
    code,
    field: field.slice(0, 512),
    message: message.slice(0, 1024),
  }));
}

/** What the printer columns show of a policy. */
function summaryOf({ document, value }: StatusInput): JsonObject {
  if (document.kind.endsWith('IdentityProvider')) return {};
  const spec = isJsonObject(value) && isJsonObject(value['spec']) ? value['spec'] : {};
  const { hosts, attachment, targetRefs, rules } = spec;
  const targets = Array.isArray(hosts)
    ? hosts.map(nameOf)
    : Array.isArray(targetRefs)
      ? targetRefs.map((ref: JsonValue) => (isJsonObject(ref) ? `${nameOf(ref['kind'])}/${nameOf(ref['name'])}` : ''))
      : attachment === 'Named'
        ? ['by name']
        : ['*'];
  const shown = targets.slice(0, 3).join(',');
  return {
    targets: `${shown}${targets.length > 3 ? `,+${targets.length - 3}` : ''}`.slice(0, 512),
    rules: Array.isArray(rules) ? rules.length : 0,
  };
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function nameOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '?';
}

function keysOf({ provider, keysFetchedAt }: StatusInput, before: JsonObject): JsonObject {
  if (provider === undefined) return {};
  const written = isJsonObject(before['keys']) ? before['keys']['fetchedAt'] : undefined;
  const known = typeof written === 'string' ? Date.parse(written) : Number.NaN;
  const keeps =
    keysFetchedAt !== undefined && Math.abs(keysFetchedAt - known) < keyTimeStepMs && typeof written === 'string';
  const fetchedAt = keysFetchedAt === undefined ? undefined : keeps ? written : toTime(keysFetchedAt);
  return {
    keys: {
      count: provider.keys,
      ...(fetchedAt === undefined ? {} : { fetchedAt }),
      ...(provider.lastError === undefined ? {} : { lastError: provider.lastError.slice(0, 512) }),
    },
  };
}

function conditionsOf(status: JsonObject): ReadonlyMap<string, JsonObject> {
  const { conditions } = status;
  if (!Array.isArray(conditions)) return new Map();
  const all: readonly JsonValue[] = conditions;
  return new Map(
    all.flatMap((one) => (isJsonObject(one) && typeof one['type'] === 'string' ? [[one['type'], one] as const] : [])),
  );
}

/** A status without the conditions that somebody else wrote: server-side apply leaves them alone, and so do we. */
function withoutOthers(status: JsonObject): JsonObject {
  const ours = [...conditionsOf(status)].flatMap(([type, condition]) => (isConditionType(type) ? [condition] : []));
  return Array.isArray(status['conditions']) ? { ...status, conditions: ours } : status;
}

/** Compares without regard to the order of members. */
function isSame(desired: JsonObject, before: JsonObject): boolean {
  return stable(desired) === stable(before);
}

function stable(value: JsonValue | undefined): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    isJsonObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}
