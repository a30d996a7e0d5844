import { denial, deny, type DecisionAbout, type Deny, type HeaderEntry } from '../core/decision.ts';
import type { JsonObject } from '../core/json.ts';
import type { Request } from '../core/request.ts';
import { proofAlgorithms } from '../phases/identity/dpop/parse-proof.ts';
import type { IdentityProvider } from '../phases/identity/identity-provider.ts';
import { isDpopPlace } from '../policy/providers/credential-forms.ts';
import { wellKnownPath } from '../policy/read-resource-metadata.ts';
import { specKey } from '../policy/spec-name.ts';
import type { AccessPolicySpec } from '../policy/spec.ts';

/** The metadata of a protected resource (RFC 9728), ready to be answered. */
export interface ServedMetadata {
  readonly host: string;
  /** Canonical. */
  readonly path: string;
  /** The URL of the document itself, for challenges. */
  readonly url: string;
  /** The document, JSON. */
  readonly text: string;
}

/** Compiles what a policy says of its resource; undefined where it says nothing. */
export function compileResourceMetadata(
  { providers: refs, peer, resourceMetadata }: AccessPolicySpec,
  running: Pick<ReadonlyMap<string, IdentityProvider>, 'get'>,
): ServedMetadata | undefined {
  if (resourceMetadata === undefined) return undefined;
  const { resource, host, path, url, authorizationServers, scopes, documentation } = resourceMetadata;
  const providers = refs.flatMap((ref) => running.get(specKey(ref)) ?? []);
  const document: JsonObject = {
    resource,
    authorization_servers: authorizationServers ?? issuersOf(providers),
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    bearer_methods_supported: bearerMethods(providers),
    ...(documentation === undefined ? {} : { resource_documentation: documentation }),
    ...dpopMembers(providers),
    ...(peer !== undefined || takesCertificates(providers) ? { tls_client_certificate_bound_access_tokens: true } : {}),
  };
  return { host, path, url, text: JSON.stringify(withoutEmptyLists(document)) };
}

/** RFC 9728 3.2: a parameter with no elements is left out. */
function withoutEmptyLists(document: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(document).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
  );
}

/** Who issues tokens that the policy takes. */
function issuersOf(providers: readonly IdentityProvider[]): readonly string[] {
  const issuers = providers.flatMap(({ spec }) => {
    if (spec.type === 'JWT') return [spec.issuer];
    return spec.type === 'Introspection' && spec.issuer !== undefined ? [spec.issuer] : [];
  });
  return [...new Set(issuers)];
}

/** RFC 9728 section 2: of the methods of RFC 6750, those that the places of tokens are. */
function bearerMethods(providers: readonly IdentityProvider[]): readonly string[] {
  const places = providers.flatMap(({ spec }) =>
    spec.type === 'JWT' || spec.type === 'Introspection' ? spec.from : [],
  );
  const methods: string[] = [];
  if (places.some((place) => place.in === 'header' && place.name === 'authorization')) methods.push('header');
  if (places.some((place) => place.in === 'query' && place.name === 'access_token')) methods.push('query');
  return methods;
}

function dpopMembers(providers: readonly IdentityProvider[]): JsonObject {
  const takers = providers.flatMap((provider) => (provider.layer === 'message' ? [provider] : []));
  if (!takers.some(({ places }) => places.some(isDpopPlace))) return {};
  const isRequired = takers.every(({ spec }) => spec.type === 'JWT' && spec.binding.dpop === 'Required');
  return {
    dpop_signing_alg_values_supported: proofAlgorithms,
    ...(isRequired ? { dpop_bound_access_tokens_required: true } : {}),
  };
}

/** Only where a policy counts on certificates is it sure that the proxy asks for them and sends them. */
function takesCertificates(providers: readonly IdentityProvider[]): boolean {
  return providers.some(({ spec }) => spec.type === 'JWT' && spec.binding.certificate === 'Required');
}

/** The metadata that the request asks for, at its exact place and with GET or HEAD; undefined: it asks for something else. */
export function findMetadata<Policy extends { readonly metadata: ServedMetadata | undefined }>(
  policies: readonly Policy[],
  { method, host, path }: Request,
): { readonly policy: Policy; readonly metadata: ServedMetadata } | undefined {
  if (!path.startsWith(wellKnownPath) || (method !== 'GET' && method !== 'HEAD')) return undefined;
  for (const policy of policies) {
    const { metadata } = policy;
    if (metadata !== undefined && metadata.host === host && metadata.path === path) return { policy, metadata };
  }
  return undefined;
}

/** Pages of any origin may read what is public. */
const headers: readonly HeaderEntry[] = [
  ['access-control-allow-origin', '*'],
  ['cache-control', 'public, max-age=300'],
];

/** The answer in the upstream's place: for the proxy a denial, so that the request goes nowhere. */
export function answerMetadata(about: DecisionAbout, { text }: ServedMetadata): Deny {
  return deny(about, denial('resource_metadata'), { headers, body: { contentType: 'application/json', text } });
}
