import { denial, type Denial } from '../../core/decision.ts';
import type { JsonObject } from '../../core/json.ts';
import type { AccessQuestion, AccessReview } from '../../core/kubernetes-review.ts';
import type { KubernetesAccessSpec } from '../../policy/spec.ts';
import type { AuthorizationTest } from './authorization-test.ts';
import { compileAccessQuestion } from './compile-access-question.ts';

/**
 * Compiles `kubernetes`: the authorizers of the cluster must allow what is asked (SubjectAccessReview). What cannot be asked, or is not
 * answered, denies. No answer is remembered: a right that is taken away is gone with the next request.
 */
export function compileKubernetesAccess(spec: KubernetesAccessSpec): AuthorizationTest {
  const compile = compileAccessQuestion(spec);
  const asks = describeSpec(spec);
  return (input) => {
    const question = compile(input);
    const tell = (value: JsonObject | undefined, objection: Denial | undefined): Denial | undefined => {
      input.tell?.({ what: 'kubernetes', asks, value, objection, block: undefined });
      return objection;
    };
    if ('code' in question) return tell(undefined, question);
    const { reviews } = input;
    if (reviews === undefined) return tell(describeQuestion(question), notAsked);
    return reviews
      .reviewAccess(question)
      .then(judgeAccessReview, () => unavailable)
      .then((objection) => tell(describeQuestion(question), objection));
  };
}

const notAsked = denial('review_unavailable', 'Kubernetes was not asked: here there is no cluster to ask.');
/** Why is for the operator, who finds it in the log and in the metrics. */
const unavailable = denial('review_unavailable');
const refused = denial('access_denied');

/** Only `allowed`, with nothing against it, allows. */
export function judgeAccessReview({ allowed, denied, hasError }: AccessReview): Denial | undefined {
  return allowed && !denied && !hasError ? undefined : refused;
}

/** As the author wrote it. */
function describeSpec({ user, groups, attributes }: KubernetesAccessSpec): JsonObject {
  const fields = Object.fromEntries(Object.entries(attributes.fields).map(([name, value]) => [name, { ...value }]));
  return {
    ...(user === undefined ? {} : { user: { ...user } }),
    ...(groups === undefined ? {} : { groups: { values: groups.values, expression: groups.expression ?? null } }),
    ...fields,
  };
}

function describeQuestion({ user: { username, groups }, attributes }: AccessQuestion): JsonObject {
  return { user: username, groups, ...attributes.fields };
}
