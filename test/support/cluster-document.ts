import type { DocumentVersion } from '../../src/core/status.ts';
import type { AuthorDocument } from '../../src/policy/spec.ts';
import { documentsOf } from './policy-test.ts';

/** The documents as a cluster would give them: each by its name and with a version. */
export function clusterDocuments(yaml: string, version: Partial<DocumentVersion> = {}): readonly AuthorDocument[] {
  return documentsOf(yaml).map((document) => {
    const { kind = '', namespace, name = '' } = headOf(document);
    const source = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
    return {
      ...document,
      source,
      placeOf: () => ({ source, line: undefined, column: undefined }),
      version: { uid: source, generation: 1, createdAt: 1, ...version },
    };
  });
}

function headOf({ value }: AuthorDocument): Partial<Record<'kind' | 'namespace' | 'name', string>> {
  const text = JSON.stringify(value);
  const read = (field: string): string | undefined => new RegExp(`"${field}":"([^"]*)"`).exec(text)?.[1];
  const [kind, namespace, name] = ['kind', 'namespace', 'name'].map(read);
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}
