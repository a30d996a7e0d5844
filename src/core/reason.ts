/**
 * Why a request was denied. A code is stable: it travels in the answer's body, in logs and metrics, and docs/errors.md lists each
 * (a test holds both ways). `status` is the HTTP status of the answer; `meaning` is what docs/errors.md says of it. A status of 200 is an
 * answer of our own: for the proxy it is a denial like the others, the request goes nowhere.
 */
export const reasons = {
  request_undecodable: { status: 400, meaning: 'The check could not be decoded as a CheckRequest.' },
  request_not_http: { status: 403, meaning: 'The check has no HTTP part (a network filter asked).' },
  request_too_large: {
    status: 400,
    meaning:
      'The request has more header fields than Portcullis reads, or a path too long for the regular expressions of the policies.',
  },
  path_not_canonical: { status: 400, meaning: 'The path can be read in more than one way.' },
  host_not_canonical: { status: 400, meaning: 'The host is empty, a list, or not a host.' },
  header_duplicated: { status: 400, meaning: 'A header that decides something is there twice.' },
  parameter_duplicated: { status: 400, meaning: 'A query parameter that decides something is there twice.' },
  credential_ambiguous: { status: 400, meaning: 'The request carries more than one credential.' },
  credential_missing: { status: 401, meaning: 'The rule needs an identity and the request carries no credential.' },
  credential_unknown: { status: 401, meaning: 'The provider knows nobody who has the credential.' },
  token_malformed: { status: 401, meaning: 'The credential is not a token in the form that is required.' },
  token_too_large: { status: 401, meaning: 'The token is longer than Portcullis reads.' },
  token_algorithm: { status: 401, meaning: 'The token is signed with an algorithm that the provider does not allow.' },
  token_type: { status: 401, meaning: 'The token was issued for another use.' },
  token_issuer: { status: 401, meaning: 'No provider of the policy has the issuer of the token.' },
  token_expired: { status: 401, meaning: 'The token is past its end.' },
  token_not_yet_valid: { status: 401, meaning: 'The token is not valid yet.' },
  token_lifetime: { status: 401, meaning: 'The token lives longer than the provider allows.' },
  token_claim: { status: 401, meaning: 'A claim of the token is missing or not of its type.' },
  token_audience: { status: 401, meaning: 'The token is meant for another audience.' },
  token_binding: { status: 401, meaning: 'The token is bound to its holder and the proof is not there.' },
  token_inactive: {
    status: 401,
    meaning: 'The issuer says that the token is not active: unknown, ended, revoked, or not for us to see.',
  },
  dpop_proof: {
    status: 401,
    meaning: 'The DPoP proof (RFC 9449) is missing, or is not one for this request and this token.',
  },
  dpop_replayed: { status: 401, meaning: 'The DPoP proof was used before.' },
  dpop_nonce: { status: 401, meaning: 'The DPoP proof must hold the nonce that the answer gives.' },
  token_key: { status: 401, meaning: 'The issuer has no key that the token names or that fits it.' },
  token_signature: { status: 401, meaning: 'The signature of the token is not right.' },
  certificate_invalid: {
    status: 401,
    meaning: 'The client certificate cannot be read, or is none of the authorities, or not for this use.',
  },
  certificate_expired: {
    status: 401,
    meaning: 'The client certificate, or one above it, is past its end or not valid yet.',
  },
  certificate_revoked: { status: 401, meaning: 'The client certificate, or one above it, was revoked.' },
  certificate_name: { status: 401, meaning: 'The client certificate names nobody whom the provider takes.' },
  password_rejected: { status: 401, meaning: 'The name or the password is not right.' },
  token_revoked: { status: 401, meaning: 'The credential was revoked before its end, or its account is disabled.' },
  insufficient_user_authentication: { status: 401, meaning: 'The user was not authenticated well or lately enough.' },
  resource_metadata: {
    status: 200,
    meaning:
      'No denial: the request asked for the metadata of the protected resource (RFC 9728), which Portcullis answers itself.',
  },
  no_policy: { status: 403, meaning: 'No policy governs the host.' },
  no_rule: { status: 403, meaning: 'No rule of the policies that decide allows the request.' },
  route_unknown: {
    status: 403,
    meaning:
      'The host is one of a route that a policy is attached to, and the proxy does not say which route it chose.',
  },
  denied: { status: 403, meaning: 'A rule denies the request.' },
  address_denied: { status: 403, meaning: 'The address of the client is not allowed, or not known.' },
  insufficient_scope: { status: 403, meaning: 'The identity lacks a scope.' },
  role_missing: { status: 403, meaning: 'The identity lacks a role.' },
  provider_not_allowed: { status: 403, meaning: 'The identity is of a provider that the rule does not take.' },
  claim_mismatch: { status: 403, meaning: 'A claim of the identity is not what the rule asks for.' },
  access_denied: {
    status: 403,
    meaning: 'Kubernetes does not allow the user what the rule asks about (SubjectAccessReview).',
  },
  header_unsafe: {
    status: 403,
    meaning:
      'A value for an upstream header cannot be sent: a control character, a comma in a list, an inexact number, too long.',
  },
  condition_failed: { status: 403, meaning: 'A condition of the rule does not hold.' },
  condition_error: { status: 403, meaning: 'A condition of the rule could not be evaluated.' },
  header_failed: { status: 403, meaning: 'The expression for an upstream header has no value.' },
  policy_invalid: {
    status: 503,
    meaning: 'The policy that would decide was refused and none of its generations is in force.',
  },
  policy_too_complex: {
    status: 503,
    meaning: 'More matches of the policies fit the path than Portcullis looks at for one request.',
  },
  provider_unavailable: {
    status: 503,
    meaning: 'The identity provider of the rule does not exist any more, was refused, or is one of two of the issuer.',
  },
  keys_unavailable: { status: 503, meaning: 'The keys of the issuer could not be loaded.' },
  revocation_unknown: {
    status: 503,
    meaning: 'It is not known whether the credential was revoked: the list is missing, out of date, or cannot be read.',
  },
  introspection_unavailable: {
    status: 503,
    meaning: 'The issuer could not be asked about the token, or gave no answer that can be believed.',
  },
  store_unavailable: {
    status: 503,
    meaning: 'A store that must be asked before a request can be allowed is not reachable, or is full.',
  },
  provider_busy: {
    status: 503,
    meaning: 'More credentials wait to be verified by the identity provider than it takes on.',
  },
  review_unavailable: {
    status: 503,
    meaning: 'The API server of Kubernetes could not be asked for a TokenReview or a SubjectAccessReview.',
  },
  revocations_unavailable: {
    status: 503,
    meaning: 'A list of revocations cannot be read, so that nobody can say whether the credential still counts.',
  },
  not_ready: { status: 503, meaning: 'The policies are not loaded yet.' },
  overloaded: {
    status: 503,
    meaning: 'More decisions wait for an issuer or a store than Portcullis keeps.',
  },
  deadline_exceeded: { status: 503, meaning: 'The decision took longer than it may.' },
  internal_error: { status: 503, meaning: 'Portcullis failed; the log says how, under the id of the decision.' },
} as const satisfies Record<string, { readonly status: number; readonly meaning: string }>;

export type ReasonCode = keyof typeof reasons;
