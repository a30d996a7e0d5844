import type { JsonValue } from '../core/json.ts';
import type { NonResourceField, ResourceField } from '../core/kubernetes-review.ts';
import type { Place, Problem } from '../core/problem.ts';
import type { DocumentVersion, RouteParent } from '../core/status.ts';
import { type SpecName, specKey } from './spec-name.ts';
import type { ProviderKind, IdentityProviderSpec, SecretSelector } from './provider-spec.ts';

/**
 * What a valid document means: plain data in its canonical form, small, comparable and fit for structuredClone.
 * Durations are in seconds. Everything is present: defaults are filled in, inheritance from policy to rule is resolved (S28).
 */
export type Spec = AccessPolicySpec | ClusterAccessPolicySpec | IdentityProviderSpec;
export type PolicySpec = AccessPolicySpec | ClusterAccessPolicySpec;

export interface ProviderRef {
  readonly kind: ProviderKind;
  readonly namespace: string;
  readonly name: string;
}

/** What both kinds of policy say of themselves. */
export interface PolicyMode {
  /** Shadow: as if deleted for everything that an answer depends on; its own verdict is recorded (S9). */
  readonly mode: 'Enforce' | 'Shadow';
  /** What a refusal of a later version does: keeps this one in force, or denies at once (S4). */
  readonly onInvalid: 'KeepLast' | 'Deny';
}

/** The platform's floor: every rule of it that matches must hold, and none of them allows (S8). */
export interface ClusterAccessPolicySpec extends SpecName, PolicyMode {
  readonly kind: 'ClusterAccessPolicy';
  /** Canonical; empty: every request, however it is attached. */
  readonly hosts: readonly string[];
  readonly addresses: AddressesSpec | undefined;
  readonly rules: readonly FloorRuleSpec[];
}

export interface FloorRuleSpec {
  readonly name: string;
  readonly matches: readonly MatchSpec[];
  readonly access: 'Authenticated' | 'Restricted' | 'Denied';
  /** Present exactly where `access` is Restricted. */
  readonly authorization: AuthorizationSpec | undefined;
  readonly addresses: AddressesSpec | undefined;
  /** Of a Denied rule: it hits where all of them hold or cannot be evaluated (S15). Empty for others. */
  readonly when: readonly ConditionSpec[];
}

export interface AccessPolicySpec extends SpecName, PolicyMode {
  readonly kind: 'AccessPolicy';
  /**
   * `Named`: governs the checks whose context extension names it, and no host. `Targets`: those whose proxy says that it chose one of the
   * routes (S5).
   */
  readonly attachment: 'Hosts' | 'Named' | 'Targets';
  /** Canonical: `api.example.com`, `*.example.com` (any depth below, not the apex) or `*`. Empty where it is attached otherwise. */
  readonly hosts: readonly string[];
  /** Routes of its own namespace. Empty where it is attached otherwise. */
  readonly targets: readonly TargetSpec[];
  readonly paths: {
    readonly parameters: 'Refuse' | 'Strip';
    /** Upper-case escapes out of `%2F %23 %25 %3F`. */
    readonly allowEncoded: readonly string[];
  };
  /** Holds for every request the policy covers (S6). */
  readonly addresses: AddressesSpec | undefined;
  /** Every provider that the policy or a rule of it names: their places are stripped on every allow (S20, S27). */
  readonly providers: readonly ProviderRef[];
  /** Who vouches for who connects, on every rule but Public ones (S18); undefined: nobody is asked. */
  readonly peer: ProviderRef | undefined;
  /** What is published of the protected resource (RFC 9728); undefined: nothing. */
  readonly resourceMetadata: ResourceMetadataSpec | undefined;
  /** Lower-case names of every header that the policy or a rule of it sets upstream (S26). */
  readonly setsHeaders: readonly string[];
  readonly rules: readonly RuleSpec[];
  /** The policy's own dressing, for denials that no rule of it decides. */
  readonly response: ResponseSpec;
}

/** The metadata of a protected resource (RFC 9728). */
export interface ResourceMetadataSpec {
  /** As the author wrote it: clients compare it byte for byte. */
  readonly resource: string;
  /** Canonical, without port. */
  readonly host: string;
  /** Of the document: `/.well-known/oauth-protected-resource` and the path of the resource, canonical. */
  readonly path: string;
  /** Of the document, as challenges name it. */
  readonly url: string;
  /** Undefined: the issuers of the policy's providers. */
  readonly authorizationServers: readonly string[] | undefined;
  readonly scopes: readonly string[];
  readonly documentation: string | undefined;
}

export const routeKinds = ['HTTPRoute', 'GRPCRoute'] as const;
export type RouteKind = (typeof routeKinds)[number];

/** A route of the Gateway API, or one rule of it. */
export interface TargetSpec {
  readonly kind: RouteKind;
  readonly name: string;
  /** The name of the rule; empty for the whole route. */
  readonly section: string;
}

/** What is read of a route of the Gateway API: what policies that are attached to it need. */
export interface RouteSpec extends SpecName {
  readonly kind: RouteKind;
  /** The file that it is in. */
  readonly source: string;
  /** As host patterns; empty: those of the listeners, which are not known here. */
  readonly hostnames: readonly string[];
  /** The names of its rules. */
  readonly sections: readonly string[];
  readonly parents: readonly RouteParent[];
}

export interface RuleSpec {
  readonly name: string;
  readonly matches: readonly MatchSpec[];
  readonly access: 'Public' | 'Optional' | 'Authenticated' | 'Restricted' | 'Denied';
  /** The rule's own, else the policy's: also of a Public rule, whose identity the floor may ask for (S8). */
  readonly providers: readonly ProviderRef[];
  /** Present exactly where `access` is Restricted. */
  readonly authorization: AuthorizationSpec | undefined;
  readonly addresses: AddressesSpec | undefined;
  /** Of a Denied rule: it hits where all of them hold or cannot be evaluated (S15). Empty for others. */
  readonly when: readonly ConditionSpec[];
  readonly upstream: UpstreamSpec;
  readonly response: ResponseSpec;
}

export interface MatchSpec {
  readonly path: PathMatch;
  /** Undefined: every method but CONNECT and TRACE (S12). */
  readonly methods: readonly string[] | undefined;
  /** Names in lower case. */
  readonly headers: readonly ValueMatch[];
  readonly queryParams: readonly ValueMatch[];
}

/** The exact value of a header or parameter that is there once (S13). */
export interface ValueMatch {
  readonly name: string;
  readonly value: string;
}

export interface PathMatch {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression';
  /** Canonical; a PathPrefix has no trailing slash but for `/` itself. */
  readonly value: string;
}

export interface AddressesSpec {
  /** CIDRs; empty: all but those denied. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** Everything in a block must hold. */
export interface AuthorizationBlock {
  readonly scopes: ListTest | undefined;
  readonly roles: ListTest | undefined;
  readonly claims: readonly ClaimTest[];
  /** Each must be true (S24). */
  readonly when: readonly ConditionSpec[];
  /** Names of providers, one of which the identity must be of; undefined: any. */
  readonly providers: readonly string[] | undefined;
  readonly stepUp: StepUpSpec | undefined;
  /** What Kubernetes must allow besides (SubjectAccessReview). */
  readonly kubernetes: KubernetesAccessSpec | undefined;
}

/** A question to the authorizers of the cluster. */
export interface KubernetesAccessSpec {
  /** Undefined: whom the API server itself named, with his groups; for everybody else the rule denies. */
  readonly user: TextTemplate | undefined;
  /** Beside `user` alone. */
  readonly groups: AccessGroupsSpec | undefined;
  readonly attributes: AccessAttributesSpec;
}

/** A fixed text, or the expression that gives it. */
export type TextTemplate = { readonly value: string } | { readonly expression: string };

/** Both together, where there are both. */
export interface AccessGroupsSpec {
  readonly values: readonly string[];
  /** Gives a list of texts. */
  readonly expression: string | undefined;
}

/** What is left out is asked as an empty text. */
export type AccessAttributesSpec =
  | { readonly kind: 'resource'; readonly fields: Readonly<Partial<Record<ResourceField, TextTemplate>>> }
  | { readonly kind: 'non-resource'; readonly fields: Readonly<Partial<Record<NonResourceField, TextTemplate>>> };

/** A CEL expression that gives a boolean, and what a client is told where it is false. */
export interface ConditionSpec {
  readonly expression: string;
  readonly message: string | undefined;
}

/** How well and how lately the user was authenticated (RFC 9470); a claim that is missing is not enough (S22). */
export interface StepUpSpec {
  /** One of these authentication context classes; empty: any. */
  readonly acr: readonly string[];
  /** One of these authentication methods; empty: any. */
  readonly amr: readonly string[];
  /** Seconds since `auth_time`. */
  readonly maxAge: number | undefined;
}

export interface AuthorizationSpec extends AuthorizationBlock {
  /** Empty: none asked for; else one of them must hold. */
  readonly anyOf: readonly AuthorizationBlock[];
}

/** Both parts, where there are both, must hold. */
export interface ListTest {
  readonly allOf: readonly string[];
  readonly anyOf: readonly string[];
}

/** `claim` is a literal name, or a JSON Pointer (RFC 6901) where it begins with `/`. */
export type ClaimTest =
  | { readonly claim: string; readonly test: 'in'; readonly values: readonly string[] }
  | { readonly claim: string; readonly test: 'bool'; readonly value: boolean }
  | { readonly claim: string; readonly test: 'exists'; readonly value: boolean };

export interface UpstreamSpec {
  readonly headers: readonly HeaderSpec[];
  readonly removeHeaders: readonly string[];
  readonly credential: 'Remove' | 'Keep';
}

/** The name in lower case. */
export type HeaderSpec =
  { readonly name: string; readonly value: string } | { readonly name: string; readonly expression: string };

export interface ResponseSpec {
  readonly headers: readonly NamedHeader[];
  /** How 401 and 403 are dressed; undefined: as usual. */
  readonly unauthenticated: DenialAnswerSpec | undefined;
  readonly forbidden: DenialAnswerSpec | undefined;
}

/** Undefined: as it would be without it. It never turns a denial into anything else. */
export interface DenialAnswerSpec {
  /** 400 to 599. */
  readonly status: number | undefined;
  readonly body: string | undefined;
  readonly contentType: string | undefined;
  readonly headers: readonly NamedHeader[];
}

export interface NamedHeader {
  readonly name: string;
  readonly value: string;
}

/** A document as a source read it: its value, and where each part of it stands. */
export interface AuthorDocument {
  readonly value: JsonValue;
  /** The file, or whatever the document is read from as one piece. */
  readonly source: string;
  /** Problems of the text itself (YAML): a document that has errors here is refused, whatever its value. */
  readonly problems: readonly Problem[];
  /** The place of the value at the path of member names and indexes; of the nearest parent where that has none. */
  readonly placeOf: (path: readonly (string | number)[]) => Place;
  /** Which version of an object of a cluster it is; absent where the source has none (files). */
  readonly version?: DocumentVersion;
  /**
   * Of a Secret, ConfigMap or route of a cluster: the reference that it was read for (`materialKey`). Each reference has a watch of its own, and
   * only within a watch is there a before and an after: what one of them says is not shown to whoever refers otherwise. Absent where all is read
   * together (files).
   */
  readonly reference?: string;
  /** The JSON of the value, where the source keeps it: what is large is parsed out of it elsewhere. */
  readonly text?: string;
  /** Of a Secret of a cluster: why nothing of it can be used, as a sentence without its end. */
  readonly refusal?: string;
}

/**
 * What changed in a source whose documents have a name of their own (a cluster): each takes the place of the one of the same `source`,
 * and those removed, which are found by `source` too, go first.
 */
export interface SourceChange {
  readonly changed: readonly AuthorDocument[];
  readonly removed: readonly AuthorDocument[];
}

/** What a document refers to and that is no document of ours: a Secret, a ConfigMap, a route, or the Secrets that a selector takes. */
export type MaterialRef = NamedMaterialRef | SelectedMaterialRef;

export interface NamedMaterialRef extends SpecName {
  readonly kind: 'Secret' | 'ConfigMap' | RouteKind;
  /** Of a Secret or ConfigMap: the keys of its data that are asked for; nothing else of it is kept. Absent: all. */
  readonly keys?: readonly string[];
  /** True of a route to which a policy in shadow mode is attached, which changes no answer. */
  readonly isShadow?: true;
}

export interface SelectedMaterialRef extends SecretSelector {
  readonly kind: 'Secret';
}

/** Unique among references: `ConfigMap shop/keys`, `Secret shop?a=b,c=d`. */
export function materialKey(ref: MaterialRef): string {
  return 'name' in ref ? specKey(ref) : `Secret ${ref.namespace}${labelsText(ref)}`;
}

/** What one that was read for the reference is called, unlike the same one read for another: `Secret shop/acme`, `Secret shop/acme?a=b,c=d`. */
export function materialSource(ref: MaterialRef, name: string): string {
  const { kind, namespace } = ref;
  return `${specKey({ kind, namespace, name })}${'name' in ref ? '' : labelsText(ref)}`;
}

function labelsText({ labels }: SelectedMaterialRef): string {
  return `?${labels.map(([name, value]) => `${name}=${value}`).join(',')}`;
}

/** One reading of a whole source. Documents that did not change since the last reading are the same objects. */
export interface SourceReading {
  readonly documents: readonly AuthorDocument[];
  /** Problems that belong to no document. */
  readonly problems: readonly Problem[];
  /** Sources that could not be read in whole: what was read from them before and is missing now was not deleted. */
  readonly unreadable: ReadonlySet<string>;
}
