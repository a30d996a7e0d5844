import { parseDocument, type ParseSettings } from './parse-document.ts';
import type { AuthorDocument, MaterialRef, Spec } from './spec.ts';

/** The Secrets and ConfigMaps that the document refers to; undefined where it is refused, so that nobody can say. */
export function materialRefsOf(document: AuthorDocument, settings: ParseSettings): readonly MaterialRef[] | undefined {
  const parsed = parseDocument(document, settings);
  return parsed.kind === 'accepted' ? refsOfSpec(parsed.spec) : undefined;
}

/** Policies refer to nothing but providers. */
export function refsOfSpec(spec: Spec): readonly MaterialRef[] {
  if (spec.kind === 'AccessPolicy' || spec.kind === 'ClusterAccessPolicy') return [];
  const keys = spec.keys.type === 'ConfigMap' ? [spec.keys.ref] : [];
  const refs = spec.ca === undefined ? keys : [...keys, spec.ca];
  return refs.map(({ namespace, name }) => ({ kind: 'ConfigMap', namespace, name }));
}
