import { isJsonObject } from '../core/json.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { readYaml } from './read-yaml.ts';

/**
 * Reads the documents of one text of YAML or JSON; a `kind: List` (what `kubectl get -o yaml` writes) stands for its items. Never throws:
 * what is not YAML is a document with Problems, so that a policy in it is refused by name and not taken for deleted.
 */
export function readDocuments(source: string, text: string): readonly AuthorDocument[] {
  return readYaml(text, source).flatMap((document) => itemsOf(document) ?? [document]);
}

function itemsOf(list: AuthorDocument): AuthorDocument[] | undefined {
  if (!isJsonObject(list.value)) return undefined;
  const { kind, apiVersion, items } = list.value;
  if (kind !== 'List' || apiVersion !== 'v1' || !Array.isArray(items)) return undefined;
  return items.map((item, index) => ({
    ...list,
    value: item,
    placeOf: (path) => list.placeOf(['items', index, ...path]),
  }));
}
