import { parseDocument, type ParseSettings } from './parse-document.ts';
import type { AccessPolicySpec, AuthorDocument, MaterialRef, RouteKind, Spec, SpecName } from './spec.ts';

/** The Secrets, ConfigMaps and routes that the document refers to; undefined where it is refused, so that nobody can say. */
export function materialRefsOf(document: AuthorDocument, settings: ParseSettings): readonly MaterialRef[] | undefined {
  const parsed = parseDocument(document, settings);
  return parsed.kind === 'accepted' ? refsOfSpec(parsed.spec) : undefined;
}

function refsOfSpec(spec: Spec): readonly MaterialRef[] {
  if (spec.kind === 'ClusterAccessPolicy') return [];
  if (spec.kind === 'AccessPolicy') return routesOf(spec);
  const keys = spec.keys.type === 'ConfigMap' ? [spec.keys.ref] : [];
  const refs = spec.ca === undefined ? keys : [...keys, spec.ca];
  return refs.map(({ namespace, name }) => ({ kind: 'ConfigMap', namespace, name }));
}

/** The routes that the policy is attached to: of its own namespace (S10). */
export function routesOf({
  namespace,
  targets,
}: Pick<AccessPolicySpec, 'namespace' | 'targets'>): readonly (SpecName & { readonly kind: RouteKind })[] {
  return targets.map(({ kind, name }) => ({ kind, namespace, name }));
}
