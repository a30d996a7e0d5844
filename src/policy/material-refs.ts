import type { ParsedDocument, ParseSettings } from './parse-document.ts';
import { parseAndRemember } from './parsed-elsewhere.ts';
import { providerMaterialRefs } from './providers/provider-material.ts';
import type { SpecName } from './spec-name.ts';
import type { AccessPolicySpec, AuthorDocument, MaterialRef, RouteKind, Spec } from './spec.ts';

/** The Secrets, ConfigMaps and routes that the document refers to. It is parsed for it, once for all who ask. */
export function materialRefsOf(document: AuthorDocument, settings: ParseSettings): readonly MaterialRef[] {
  return refsOfParsed(parseAndRemember(document, settings));
}

/** Of a refused policy the routes, as far as they can be read. */
export function refsOfParsed(parsed: ParsedDocument): readonly MaterialRef[] {
  if (parsed.kind === 'accepted') return refsOfSpec(parsed.spec);
  const policy = parsed.kind === 'refused' ? parsed.document.policy : undefined;
  return policy === undefined ? [] : routesOf(policy);
}

/** What a version that was accepted refers to. */
export function refsOfSpec(spec: Spec): readonly MaterialRef[] {
  if (spec.kind === 'ClusterAccessPolicy') return [];
  if (spec.kind === 'AccessPolicy') return spec.mode === 'Shadow' ? routesOf(spec).map(toShadow) : routesOf(spec);
  return providerMaterialRefs(spec);
}

/** The routes that the policy is attached to: of its own namespace (S10). */
export function routesOf({
  namespace,
  targets,
}: Pick<AccessPolicySpec, 'namespace' | 'targets'>): readonly (SpecName & { readonly kind: RouteKind })[] {
  return targets.map(({ kind, name }) => ({ kind, namespace, name }));
}

function toShadow(ref: MaterialRef): MaterialRef {
  return 'name' in ref ? { ...ref, isShadow: true } : ref;
}
