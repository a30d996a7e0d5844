import type { SecretSelectorShape } from '../document-shape.ts';
import { quote, type FieldPath, type ProblemList } from '../problem-list.ts';
import type { SecretSelector } from '../provider-spec.ts';

/** The name of a label (an optional DNS prefix and a name) and its value, as Kubernetes has them. */
const labelName = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** Reads a selector of Secrets. A label that no Secret can have would select nothing for ever. */
export function readSelector(
  { matchLabels }: SecretSelectorShape,
  namespace: string,
  at: FieldPath,
  problems: ProblemList,
): SecretSelector {
  const labels = Object.entries(matchLabels).toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, value] of labels) {
    if (!labelName.test(name))
      problems.error('invalid-value', [...at, 'matchLabels', name], `${quote(name)} is no name of a label`);
    if (!labelValue.test(value))
      problems.error('invalid-value', [...at, 'matchLabels', name], `${quote(value)} is no value of a label`);
  }
  return { namespace, labels };
}
