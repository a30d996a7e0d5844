import type { NonResourceField, ResourceField } from '../core/kubernetes-review.ts';
import type {
  CertificateSource,
  DpopNonceRule,
  HmacAlgorithm,
  IdentityProviderSpec,
  JwtAlgorithm,
  ProviderKind,
  TokenBinding,
} from './provider-spec.ts';
import type { RouteKind } from './spec.ts';

/**
 * The shapes of documents after `check-structure` found no error in them: what is required is there and of its type.
 * The schemas in `schema/` are their source; `parse-document.ts` is the only place that narrows to them.
 */
export interface PolicyModeShape {
  readonly mode?: 'Enforce' | 'Shadow';
  readonly onInvalid?: 'KeepLast' | 'Deny';
}

export interface ClusterAccessPolicyShape extends PolicyModeShape {
  readonly hosts?: readonly string[];
  readonly addresses?: AddressesShape;
  readonly rules?: readonly FloorRuleShape[];
}

export interface FloorRuleShape {
  readonly name: string;
  readonly matches: readonly MatchShape[];
  readonly access: 'Authenticated' | 'Restricted' | 'Denied';
  readonly authorization?: AuthorizationShape;
  readonly addresses?: AddressesShape;
  readonly when?: readonly ConditionShape[];
}

export interface AccessPolicyShape extends PolicyModeShape {
  readonly hosts?: readonly string[];
  readonly targetRefs?: readonly TargetRefShape[];
  readonly attachment?: 'Named';
  readonly paths?: { readonly parameters?: 'Refuse' | 'Strip'; readonly allowEncoded?: readonly string[] };
  readonly authentication?: AuthenticationShape;
  readonly addresses?: AddressesShape;
  readonly rules: readonly RuleShape[];
  readonly upstream?: UpstreamShape;
  readonly response?: ResponseShape;
}

export interface TargetRefShape {
  readonly group: 'gateway.networking.k8s.io';
  readonly kind: RouteKind;
  readonly name: string;
  readonly sectionName?: string;
}

export interface AuthenticationShape {
  readonly providers?: readonly ProviderRefShape[];
  readonly peer?: ProviderRefShape;
  /** Of a policy alone. */
  readonly resourceMetadata?: ResourceMetadataShape;
}

export interface ResourceMetadataShape {
  readonly resource: string;
  readonly authorizationServers?: readonly string[];
  readonly scopes?: readonly string[];
  readonly documentation?: string;
}

export interface ProviderRefShape {
  readonly kind?: ProviderKind;
  readonly name: string;
}

export interface AddressesShape {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

export interface RuleShape {
  readonly name: string;
  readonly matches: readonly MatchShape[];
  readonly access: 'Public' | 'Optional' | 'Authenticated' | 'Restricted' | 'Denied';
  readonly authorization?: AuthorizationShape;
  readonly authentication?: AuthenticationShape;
  readonly addresses?: AddressesShape;
  readonly when?: readonly ConditionShape[];
  readonly upstream?: UpstreamShape;
  readonly response?: ResponseShape;
}

export interface MatchShape {
  readonly path?: { readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression'; readonly value: string };
  readonly methods?: readonly string[];
  readonly headers?: readonly HeaderShape[];
  readonly queryParams?: readonly HeaderShape[];
}

export interface HeaderShape {
  readonly name: string;
  readonly value: string;
}

export interface BlockShape {
  readonly scopes?: ListTestShape;
  readonly roles?: ListTestShape;
  readonly claims?: readonly ClaimTestShape[];
  readonly when?: readonly ConditionShape[];
  readonly providers?: readonly string[];
  readonly stepUp?: StepUpShape;
  readonly kubernetes?: KubernetesAccessShape;
}

export interface KubernetesAccessShape {
  readonly user?: TextTemplateShape;
  readonly groups?: { readonly values?: readonly string[]; readonly expression?: string };
  readonly resourceAttributes?: Readonly<Partial<Record<ResourceField, TextTemplateShape>>>;
  readonly nonResourceAttributes?: Readonly<Partial<Record<NonResourceField, TextTemplateShape>>>;
}

export interface TextTemplateShape {
  readonly value?: string;
  readonly expression?: string;
}

export interface ConditionShape {
  readonly expression: string;
  readonly message?: string;
}

export interface StepUpShape {
  readonly acr?: { readonly anyOf: readonly string[] };
  readonly amr?: { readonly anyOf: readonly string[] };
  readonly maxAge?: string;
}

export interface AuthorizationShape extends BlockShape {
  readonly anyOf?: readonly BlockShape[];
}

export interface ListTestShape {
  readonly allOf?: readonly string[];
  readonly anyOf?: readonly string[];
}

export interface ClaimTestShape {
  readonly claim: string;
  readonly in?: readonly string[];
  readonly bool?: boolean;
  readonly exists?: boolean;
}

export interface UpstreamShape {
  readonly headers?: readonly { readonly name: string; readonly value?: string; readonly expression?: string }[];
  readonly removeHeaders?: readonly string[];
  readonly credential?: 'Remove' | 'Keep';
}

export interface ResponseShape {
  readonly headers?: readonly HeaderShape[];
  readonly unauthenticated?: DenialAnswerShape;
  readonly forbidden?: DenialAnswerShape;
}

export interface DenialAnswerShape {
  readonly status?: number;
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: readonly HeaderShape[];
}

export interface IdentityProviderShape {
  readonly type: IdentityProviderSpec['type'];
  readonly jwt?: JwtShape;
  readonly sharedSecretJwt?: SharedSecretJwtShape;
  readonly introspection?: IntrospectionShape;
  readonly apiKey?: ApiKeyShape;
  readonly clientCertificate?: ClientCertificateShape;
  readonly serviceAccount?: ServiceAccountShape;
  readonly basic?: BasicShape;
}

export interface SharedSecretJwtShape {
  readonly keyClaim?: string;
  readonly secretSelector: SecretSelectorShape;
  readonly secretEncoding?: 'Plain' | 'Base64';
  readonly algorithms?: readonly HmacAlgorithm[];
  readonly verifyClaims?: readonly ('exp' | 'nbf')[];
}

export interface SecretSelectorShape {
  readonly matchLabels: Readonly<Record<string, string>>;
}

export interface IntrospectionShape {
  readonly endpoint: string;
  readonly clientAuthentication: {
    readonly method: 'Basic' | 'Post' | 'PrivateKeyJWT';
    readonly secretRef: { readonly name: string };
  };
  readonly issuer?: string;
  readonly audiences: readonly string[];
  readonly caRef?: ConfigMapRefShape;
  readonly signedAnswers?: 'Never' | 'Required';
  readonly claims?: ClaimMappingShape;
  readonly cache?: { readonly ttl?: string };
  readonly timeout?: string;
}

export interface ApiKeyShape {
  readonly from: readonly PlaceShape[];
  readonly secretSelector: SecretSelectorShape;
}

export interface ClientCertificateShape {
  readonly source: CertificateSource;
  readonly caRef?: ConfigMapRefShape;
  readonly crlRef?: ConfigMapRefShape;
  readonly spiffe?: { readonly trustDomains: readonly string[] };
}

export interface ServiceAccountShape {
  readonly audiences: readonly string[];
}

export interface BasicShape {
  readonly secretRef: ConfigMapRefShape;
}

export interface JwtShape {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly jwks?: JwksShape;
  readonly algorithms?: readonly JwtAlgorithm[];
  readonly profile?: 'Any' | 'AccessToken' | 'IDToken';
  readonly clockSkew?: string;
  readonly maxLifetime?: string;
  readonly requiredClaims?: readonly string[];
  readonly from?: readonly PlaceShape[];
  readonly claims?: ClaimMappingShape;
  readonly binding?: Partial<TokenBinding> & { readonly dpopNonce?: DpopNonceRule };
  readonly logout?: { readonly audiences: readonly string[] };
  readonly events?: {
    readonly audiences: readonly string[];
    readonly issuer?: string;
    readonly jwks?: JwksShape;
    readonly authorizationRef?: ConfigMapRefShape;
  };
}

export interface ClaimMappingShape {
  readonly subject?: string;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
}

export interface JwksShape {
  readonly uri?: string;
  readonly inline?: string;
  readonly configMapRef?: ConfigMapRefShape;
  readonly caRef?: ConfigMapRefShape;
}

export interface ConfigMapRefShape {
  readonly name: string;
  readonly key: string;
}

export interface PlaceShape {
  readonly header?: string;
  readonly scheme?: string;
  readonly cookie?: string;
  readonly query?: string;
}
