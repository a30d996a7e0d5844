import { parseDocument, type ParseSettings } from './parse-document.ts';
import { providerMaterialRefs } from './providers/provider-material.ts';
import type { SpecName } from './spec-name.ts';
import type { AccessPolicySpec, AuthorDocument, MaterialRef, RouteKind, Spec } from './spec.ts';

/** What a document refers to and that is no document of ours. */
export interface DocumentRefs {
  readonly refs: readonly MaterialRef[];
  /** False for a document that is refused: what its last good version refers to is needed too, and not known here. */
  readonly isAccepted: boolean;
}

/** The Secrets, ConfigMaps and routes that the document refers to; of a refused policy the routes, as far as they can be read. */
export function materialRefsOf(document: AuthorDocument, settings: ParseSettings): DocumentRefs {
  const parsed = parseDocument(document, settings);
  if (parsed.kind === 'accepted') return { refs: refsOfSpec(parsed.spec), isAccepted: true };
  const policy = parsed.kind === 'refused' ? parsed.document.policy : undefined;
  return { refs: policy === undefined ? [] : routesOf(policy), isAccepted: false };
}

/** What a version that was accepted refers to. */
export function refsOfSpec(spec: Spec): readonly MaterialRef[] {
  if (spec.kind === 'ClusterAccessPolicy') return [];
  if (spec.kind === 'AccessPolicy') return routesOf(spec);
  return providerMaterialRefs(spec);
}

/** The routes that the policy is attached to: of its own namespace (S10). */
export function routesOf({
  namespace,
  targets,
}: Pick<AccessPolicySpec, 'namespace' | 'targets'>): readonly (SpecName & { readonly kind: RouteKind })[] {
  return targets.map(({ kind, name }) => ({ kind, namespace, name }));
}
