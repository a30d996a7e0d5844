import { isJsonObject } from '../core/json.ts';
import type { Problem } from '../core/problem.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { readYaml } from './read-yaml.ts';

/**
 * Reads the documents of one text of YAML or JSON; a `kind: List` (what `kubectl get -o yaml` writes) stands for its items. Never throws:
 * what is not YAML is a document with Problems, so that a policy in it is refused by name and not taken for deleted.
 */
export function readDocuments(source: string, text: string): readonly AuthorDocument[] {
  const documents = readYaml(text, source).flatMap((document) => itemsOf(document) ?? [document]);
  return text.length > maxDocumentCharacters ? documents.map(refuseTooLarge) : documents;
}

/** Characters of JSON. The largest object that Kubernetes keeps is of 1.5 MB. */
const maxDocumentCharacters = 2 * 1024 * 1024;

function refuseTooLarge(document: AuthorDocument): AuthorDocument {
  if (JSON.stringify(document.value).length <= maxDocumentCharacters) return document;
  const message = `the document is larger than ${maxDocumentCharacters / 1024} KiB`;
  const problem: Problem = { code: 'too-large', severity: 'error', message, field: '', place: document.placeOf([]) };
  return { ...document, problems: [...document.problems, problem] };
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
