import type { SpecName } from './spec-name.ts';

/** What every provider says of itself. */
export interface ProviderSpecBase extends SpecName {
  readonly kind: ProviderKind;
}

export type ProviderKind = 'IdentityProvider' | 'ClusterIdentityProvider';

export type IdentityProviderSpec =
  | JwtProviderSpec
  | SharedSecretJwtProviderSpec
  | IntrospectionProviderSpec
  | ApiKeyProviderSpec
  | ClientCertificateProviderSpec
  | ServiceAccountProviderSpec
  | BasicProviderSpec;

/** Tokens of this type can be taken apart and made up: tools offer more for it than for others. */
export function isJwtProvider(spec: IdentityProviderSpec): spec is JwtProviderSpec {
  return spec.type === 'JWT';
}

/** Identities of these are made of claims, which a token holds or whoever is asked about it tells: tools can make them up. */
export type ClaimsProviderSpec = JwtProviderSpec | IntrospectionProviderSpec | ServiceAccountProviderSpec;

export function isClaimsProvider(spec: IdentityProviderSpec): spec is ClaimsProviderSpec {
  return spec.type === 'JWT' || spec.type === 'Introspection' || spec.type === 'ServiceAccount';
}

export interface JwtProviderSpec extends ProviderSpecBase {
  readonly type: 'JWT';
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly keys: KeySource;
  /** PEM certificates to trust for discovery and keys, instead of the system's. */
  readonly ca: ConfigMapKey | undefined;
  readonly algorithms: readonly JwtAlgorithm[];
  readonly profile: 'Any' | 'AccessToken' | 'IDToken';
  readonly clockSkew: number;
  readonly maxLifetime: number | undefined;
  /** Claims (literal names or JSON Pointers) that must be there, beside `exp`. */
  readonly requiredClaims: readonly string[];
  readonly from: readonly CredentialPlace[];
  readonly claims: ClaimMapping;
  readonly binding: TokenBinding;
  readonly dpopNonce: DpopNonceRule;
  /** Absent: no logout tokens are taken. */
  readonly logout?: LogoutReceiverSpec;
  /** Absent: no security events are taken. */
  readonly events?: EventReceiverSpec;
}

/** Logout tokens of the issuer (OpenID Connect Back-Channel Logout 1.0). */
export interface LogoutReceiverSpec {
  /** The client ids whose logouts end tokens here. */
  readonly audiences: readonly string[];
}

/** Security events of the issuer, or of who speaks for it (Shared Signals Framework 1.0, delivered as in RFC 8935). */
export interface EventReceiverSpec {
  /** Of the transmitter. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Undefined: the keys of the provider. */
  readonly keys: KeySource | undefined;
  /** PEM certificates to trust where these keys are fetched, instead of the system's. */
  readonly ca: ConfigMapKey | undefined;
  /** What the transmitter sends in Authorization; undefined: not looked at. */
  readonly authorization: SecretKey | undefined;
}

/** Where the parts of an identity are in claims: literal names, or JSON Pointers where they begin with `/`. */
export interface ClaimMapping {
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
}

/** What is asked of a token that is bound to its holder, or may be (`cnf`): IfBound asks for the proof where the token is bound. */
export interface TokenBinding {
  /** RFC 8705 `x5t#S256`. */
  readonly certificate: BindingRule;
  /** RFC 9449 `jkt`. */
  readonly dpop: BindingRule;
}

export const bindingRules = ['IfBound', 'Required', 'Ignore'] as const;
export type BindingRule = (typeof bindingRules)[number];

export const dpopNonceRules = ['Never', 'Required'] as const;
/** Whether proofs must hold a nonce of ours (RFC 9449 section 9). */
export type DpopNonceRule = (typeof dpopNonceRules)[number];

export interface SharedSecretJwtProviderSpec extends ProviderSpecBase {
  readonly type: 'SharedSecretJWT';
  /** Where the name of the consumer is. */
  readonly keyClaim: { readonly in: 'claim' | 'header'; readonly name: string };
  readonly secrets: SecretSelector;
  readonly secretEncoding: 'Plain' | 'Base64';
  readonly algorithms: readonly HmacAlgorithm[];
  /** `exp` is checked whatever stands here. */
  readonly verifyNotBefore: boolean;
  readonly from: readonly CredentialPlace[];
}

export const hmacAlgorithms = ['HS256', 'HS384', 'HS512'] as const;
export type HmacAlgorithm = (typeof hmacAlgorithms)[number];

export interface IntrospectionProviderSpec extends ProviderSpecBase {
  readonly type: 'Introspection';
  readonly endpoint: string;
  readonly clientAuthentication: {
    readonly method: 'Basic' | 'Post' | 'PrivateKeyJWT';
    /** A Secret with the keys `client_id` and `client_secret`; for PrivateKeyJWT `private_key` and, if there is one, `key_id`. */
    readonly secret: SecretName;
  };
  /** Undefined: the answer's issuer is not looked at. */
  readonly issuer: string | undefined;
  readonly audiences: readonly string[];
  /** PEM certificates to trust for the endpoint and the keys of signed answers, instead of the system's. */
  readonly ca: ConfigMapKey | undefined;
  /** RFC 9701: answers must be JWTs of the issuer, which is then there. */
  readonly signedAnswers: boolean;
  readonly claims: ClaimMapping;
  /** Seconds that an answer is remembered at most; 0 asks every time. */
  readonly cacheTtl: number;
  /** Seconds. */
  readonly timeout: number;
  readonly from: readonly CredentialPlace[];
}

export interface ApiKeyProviderSpec extends ProviderSpecBase {
  readonly type: 'APIKey';
  readonly from: readonly CredentialPlace[];
  readonly secrets: SecretSelector;
}

export interface ClientCertificateProviderSpec extends ProviderSpecBase {
  readonly type: 'ClientCertificate';
  readonly source: CertificateSource;
  /** PEM certificates to trust: with Certificate always, with ForwardedCertificate where we verify what the proxy passes on. */
  readonly ca: ConfigMapKey | undefined;
  /** PEM lists of certificates that were revoked; only where there is `ca`. */
  readonly crl: ConfigMapKey | undefined;
  readonly spiffe: { readonly trustDomains: readonly string[] } | undefined;
}

export const certificateSources = ['ValidatedPrincipal', 'Certificate', 'ForwardedCertificate'] as const;
export type CertificateSource = (typeof certificateSources)[number];

export interface ServiceAccountProviderSpec extends ProviderSpecBase {
  readonly type: 'ServiceAccount';
  readonly audiences: readonly string[];
  readonly from: readonly CredentialPlace[];
}

export interface BasicProviderSpec extends ProviderSpecBase {
  readonly type: 'Basic';
  readonly users: SecretKey;
  readonly from: readonly CredentialPlace[];
}

export const jwtAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;
export type JwtAlgorithm = (typeof jwtAlgorithms)[number];

export type KeySource =
  | { readonly type: 'Discovery' }
  | { readonly type: 'URI'; readonly uri: string }
  | { readonly type: 'Inline'; readonly json: string }
  | { readonly type: 'ConfigMap'; readonly ref: ConfigMapKey };

export interface ConfigMapKey extends SpecName {
  readonly key: string;
}

/** A Secret whose keys are fixed. */
export type SecretName = SpecName;

/** One value of a Secret. */
export interface SecretKey extends SpecName {
  readonly key: string;
}

/** The Secrets of a namespace that have all of these labels, one at least. */
export interface SecretSelector {
  readonly namespace: string;
  /** In the order of their names. */
  readonly labels: readonly (readonly [name: string, value: string])[];
}

/** Where in a request a credential may stand. `scheme` absent: the whole value of the header. */
export type CredentialPlace =
  | { readonly in: 'header'; readonly name: string; readonly scheme: string | undefined }
  | { readonly in: 'cookie'; readonly name: string }
  | { readonly in: 'query'; readonly name: string };
