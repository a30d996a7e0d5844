import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { DocumentStatus, RouteParent } from '../core/status.ts';
import type { ConditionVerdict } from './conditions.ts';

/** Who says so, in the form of the Gateway API. */
const controllerName = 'portcullis.dev/portcullis';
/** As the Gateway API has it. */
const maxAncestors = 16;

/**
 * `status.ancestors` (PolicyAncestorStatus of the Gateway API): what is true of the policy at each Gateway that its routes name. `before` is
 * what the status has: a condition that stays keeps its time. Empty for a policy that is attached otherwise.
 */
export function ancestorsOf(
  document: DocumentStatus,
  verdicts: readonly ConditionVerdict[],
  before: JsonValue | undefined,
  now: string,
): readonly JsonObject[] {
  const byRef = new Map<string, { readonly ref: JsonObject; isMissing: boolean }>();
  for (const { parents, found } of document.targets) {
    for (const parent of parents) {
      const ref = toRef(parent);
      const key = JSON.stringify(ref);
      const known = byRef.get(key) ?? { ref, isMissing: false };
      byRef.set(key, { ref, isMissing: known.isMissing || found !== 'found' });
    }
  }
  return [...byRef].slice(0, maxAncestors).map(([key, { ref, isMissing }]) => {
    const known = conditionsAt(before, key);
    const generation = document.version?.generation ?? 0;
    const conditions = judgeAncestor(document, verdicts, isMissing).map((verdict) => {
      const was = known.find((one) => isJsonObject(one) && one['type'] === verdict['type']);
      const since = isJsonObject(was) && was['status'] === verdict['status'] ? was['lastTransitionTime'] : undefined;
      return {
        ...verdict,
        observedGeneration: generation,
        lastTransitionTime: typeof since === 'string' ? since : now,
      };
    });
    return { ancestorRef: ref, controllerName, conditions };
  });
}

function toRef({ group, kind, namespace, name, sectionName, port }: RouteParent): JsonObject {
  return {
    group,
    kind,
    namespace,
    name,
    ...(sectionName === undefined ? {} : { sectionName }),
    ...(port === undefined ? {} : { port }),
  };
}

/** With the reasons that the Gateway API gives `Accepted`; `Programmed` is that of the policy. */
function judgeAncestor(
  { accepted }: DocumentStatus,
  verdicts: readonly ConditionVerdict[],
  isMissing: boolean,
): readonly JsonObject[] {
  const of = (type: ConditionVerdict['type']): ConditionVerdict | undefined =>
    verdicts.find((one) => one.type === type);
  const message = (isMissing && accepted ? of('ResolvedRefs') : of('Accepted'))?.message ?? '';
  const reason = !accepted ? 'Invalid' : isMissing ? 'TargetNotFound' : 'Accepted';
  const programmed = of('Programmed');
  return [
    { type: 'Accepted', status: reason === 'Accepted' ? 'True' : 'False', reason, message },
    ...(programmed === undefined ? [] : [{ ...programmed }]),
  ];
}

function conditionsAt(before: JsonValue | undefined, key: string): readonly JsonValue[] {
  const all: readonly JsonValue[] = Array.isArray(before) ? before : [];
  const own = all.find(
    (one) => isJsonObject(one) && isJsonObject(one['ancestorRef']) && sameRef(one['ancestorRef'], key),
  );
  const conditions = isJsonObject(own) ? own['conditions'] : undefined;
  return Array.isArray(conditions) ? conditions : [];
}

/** The server sorts the members of objects. */
function sameRef(ref: JsonObject, key: string): boolean {
  const sorted = (object: JsonObject): string =>
    JSON.stringify(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
  const own: unknown = JSON.parse(key);
  return isJsonObject(own) && sorted(own) === sorted(ref);
}
