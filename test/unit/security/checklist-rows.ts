import {
  binding,
  decisions,
  dpop,
  floods,
  identity,
  malformed,
  table,
  vectors,
  type SecurityRow,
} from './security-row.ts';

const challenges = `${identity}/challenges.test.ts`;
const hmac = `${identity}/shared-secret-jwt-provider.test.ts`;
const authenticate = `${identity}/authenticate.test.ts`;

/** What the specifications demand of a resource server. */
export const checklistRows: readonly SecurityRow[] = [
  {
    row: 'RFC 8725 3.1',
    expected: 'the provider lists the algorithms; a key is used with its own alone',
    tests: [
      [table, 'alg not allowed by the provider'],
      [table, 'JWK alg mismatch'],
    ],
  },
  {
    row: 'RFC 8725 3.2',
    expected: 'only current algorithms; none never',
    tests: [
      [table, 'alg none with a foreign signature'],
      [table, 'JWE of five parts'],
    ],
  },
  {
    row: 'RFC 8725 3.3',
    expected: 'every cryptographic operation is validated',
    tests: [
      [table, 'altered payload'],
      [vectors, 'is good, and bad over another payload'],
      [malformed, 'the padding is the one padding'],
    ],
  },
  {
    row: 'RFC 8725 3.4',
    expected: 'no JWE',
    tests: [
      [table, 'JWE of five parts'],
      [dpop, '6 a point that is not on its curve'],
    ],
  },
  {
    row: 'RFC 8725 3.5',
    expected: 'secrets as long as the output',
    tests: [[hmac, 'needs a secret as long as its output (RFC 7518 3.2)']],
  },
  { row: 'RFC 8725 3.6', expected: 'no zip', tests: [[table, "['zip', "]] },
  {
    row: 'RFC 8725 3.7',
    expected: 'UTF-8 alone',
    tests: [
      [table, 'payload not UTF-8'],
      [table, 'lone surrogate in a claim'],
    ],
  },
  {
    row: 'RFC 8725 3.8',
    expected: 'iss exact, keys of that issuer, sub of its type',
    tests: [
      [table, 'iss ${JSON.stringify(iss)}'],
      [table, 'the same kid at two issuers stays two keys'],
      [table, 'sub ${JSON.stringify(sub)}'],
    ],
  },
  { row: 'RFC 8725 3.9', expected: 'aud is there and ours', tests: [[table, 'aud ${JSON.stringify(aud)}']] },
  {
    row: 'RFC 8725 3.10',
    expected: 'kid is compared alone, jku and x5u are not followed',
    tests: [
      [table, 'kid injection'],
      [table, 'control: jku, x5u, jwk and x5c are ignored'],
    ],
  },
  { row: 'RFC 8725 3.11', expected: 'explicit types', tests: [[table, 'typ ${JSON.stringify(typ)}']] },
  {
    row: 'RFC 8725 3.12',
    expected: 'kinds of JWT exclude each other',
    tests: [
      [table, 'logout token without a type'],
      [`${identity}/events/issuer-receiver.test.ts`, 'an access token of the issuer is none'],
      [`${identity}/signed-answers.test.ts`, 'of another typ: an access token'],
    ],
  },
  {
    row: 'RFC 9068 4 typ',
    expected: 'at+jwt, in any case; a mode for those who deviate',
    tests: [
      [table, 'the long type in another case'],
      [table, "['AccessToken', 'typ JWT'"],
      [table, "['Any', 'no typ'"],
    ],
  },
  {
    row: 'RFC 9068 4 iss, aud, signature, exp',
    expected: '401',
    tests: [
      [table, 'iss ${JSON.stringify(iss)}'],
      [table, 'aud ${JSON.stringify(aud)}'],
      [table, 'foreign key under a known kid'],
      [table, 'exp exactly at the end of the skew'],
    ],
  },
  { row: 'RFC 9068 4 errors', expected: 'invalid_token', tests: [[authenticate, 'a bad token: invalid_token']] },
  {
    row: 'RFC 9068 2.2',
    expected: 'sub, client_id, iat, jti are required',
    tests: [
      [table, "['AccessToken', 'no client_id'"],
      [table, "['AccessToken', 'no jti'"],
      [table, "['AccessToken', 'no iat'"],
      [table, "['AccessToken', 'no sub'"],
    ],
  },
  { row: 'RFC 9700 audience', expected: 'refused where it is not us', tests: [[table, 'aud ${JSON.stringify(aud)}']] },
  {
    row: 'RFC 9700 action not covered',
    expected: '403',
    tests: [[decisions, 'a scope that is missing is named with 403']],
  },
  {
    row: 'RFC 9700 tokens are secrets',
    expected: 'in no log, metric, status or denial',
    tests: [
      [`${identity}/jwt-provider.test.ts`, 'no message of a denial holds a part of the token'],
      [hmac, 'no secret, token or claim is in a log, a status or a denial'],
      [
        'unit/engine/client-secrets.test.ts',
        'promise 7: nothing that status or log say holds a key, a hash or a secret',
      ],
      ['integration/serve.test.ts', 'canary'],
    ],
  },
  {
    row: 'RFC 9700 4.3.2',
    expected: 'no token in the query by default',
    tests: [[table, 'token in the query, not listed']],
  },
  {
    row: 'RFC 9700 sender-constrained tokens',
    expected: 'DPoP and mTLS',
    tests: [
      [dpop, 'passes with a proof, and the second time out of the cache with another proof'],
      [binding, 'RFC 8705: x5t#S256'],
    ],
  },
  {
    row: 'RFC 9700 inbound headers',
    expected: 'sanitised, underscore twins too',
    tests: [
      ['decisions/credentials.yaml', 'S26 what a policy of the namespace sets is removed on every allow'],
      ['decisions/credentials.yaml', 'S26 a mixed spelling of an owned header is removed too'],
    ],
  },
  {
    row: 'RFC 9700 proxy to service',
    expected: 'mTLS',
    tests: [
      ['integration/envoy-tls.test.ts', 'as docs/tls.md configures it is answered'],
      ['unit/envoy/transport-tls.test.ts', 'with issuers of clients'],
    ],
  },
  {
    row: 'RFC 9700 4.15',
    expected: 'a policy can require sub != client_id',
    tests: [
      [decisions, 'a client on its own is no person'],
      [decisions, 'a person is'],
      [
        `${identity}/introspection-provider.test.ts`,
        'without sub is of no subject: a client is never taken for a user',
      ],
    ],
  },
  {
    row: 'RFC 9449 4.3 (1) one DPoP header',
    expected: '401',
    tests: [
      [dpop, '1 no proof'],
      [dpop, '1 two proofs in one field'],
      [dpop, '1 two proofs in two fields'],
    ],
  },
  {
    row: 'RFC 9449 4.3 (2) one well-formed JWT',
    expected: '401',
    tests: [
      [dpop, '2 no JWT'],
      [dpop, '2 five parts'],
      [dpop, '2 a member twice'],
    ],
  },
  {
    row: 'RFC 9449 4.3 (3) all required claims',
    expected: '401',
    tests: [
      [dpop, '3 ${name} is ${JSON.stringify(value)}'],
      [vectors, 'without ath it proves nothing beside a token'],
    ],
  },
  {
    row: 'RFC 9449 4.3 (4) typ dpop+jwt',
    expected: '401',
    tests: [
      [dpop, '4 no typ'],
      [dpop, '4 another typ'],
    ],
  },
  {
    row: 'RFC 9449 4.3 (5) asymmetric algorithm',
    expected: '401',
    tests: [
      [dpop, '5 alg none'],
      [dpop, '5 an HMAC with the public key as the secret'],
      [dpop, '5 an algorithm of another key'],
    ],
  },
  { row: 'RFC 9449 4.3 (6) signature by its jwk', expected: '401', tests: [[dpop, '6 signed with another key']] },
  {
    row: 'RFC 9449 4.3 (7) no private key',
    expected: '401',
    tests: [
      [dpop, '7 a private key'],
      [dpop, '7 a symmetric key'],
    ],
  },
  {
    row: 'RFC 9449 4.3 (8) htm',
    expected: '401',
    tests: [
      [dpop, '8 another method'],
      [dpop, '8 the method in lower case'],
    ],
  },
  {
    row: 'RFC 9449 4.3 (9) htu',
    expected: '401',
    tests: [
      [dpop, '9 another path'],
      [dpop, '9 another host'],
      [`${identity}/dpop-target.test.ts`, 'a port that is not the default of the scheme counts'],
    ],
  },
  { row: 'RFC 9449 4.3 (10) nonce', expected: '401 use_dpop_nonce', tests: [[dpop, 'nonces (RFC 9449 section 9)']] },
  {
    row: 'RFC 9449 4.3 (11) iat',
    expected: '401',
    tests: [
      [dpop, '11 older than 300 s'],
      [dpop, '11 more than 60 s ahead'],
      [dpop, '11 as old and as far ahead as may be'],
    ],
  },
  {
    row: 'RFC 9449 4.3 (12) ath and jkt',
    expected: '401',
    tests: [
      [dpop, '12 the hash of another token'],
      [dpop, '12 the key of somebody else'],
      [vectors, 'the thumbprint of the key of %s'],
    ],
  },
  {
    row: 'RFC 9449 7.1',
    expected: 'scheme DPoP, its challenge and algs',
    tests: [
      [challenges, '%s is %s (RFC 9449 7.1)'],
      [dpop, 'the example of RFC 9449 7.1'],
    ],
  },
  {
    row: 'RFC 9449 7.2',
    expected: 'a bound token as Bearer is refused',
    tests: [[dpop, 'as Bearer it is refused, with and without a proof (RFC 9449 7.2)']],
  },
  {
    row: 'RFC 9449 11.1',
    expected: 'replays are refused, memory is bounded',
    tests: [
      [dpop, 'the second request with it is refused'],
      [dpop, 'where the store is full a new proof is denied with 503'],
      [floods, 'none of them fills the memory of proofs'],
    ],
  },
  {
    row: 'RFC 8705 3',
    expected: 'the certificate of the connection matches x5t#S256',
    tests: [
      [binding, 'is the SHA-256 of the certificate that the connection shows'],
      ['integration/client-certificates.test.ts', 'takes a bound token from its holder and from nobody else'],
      ['integration/client-certificates.test.ts', 'a bound token without a certificate is refused'],
    ],
  },
  {
    row: 'RFC 7800',
    expected: 'unknown confirmation methods are refused',
    tests: [
      [binding, 'in a way that nobody knows'],
      [dpop, 'a method beside jkt that nobody knows is refused'],
    ],
  },
  {
    row: 'RFC 9470',
    expected: 'insufficient_user_authentication with acr_values and max_age',
    tests: [
      [challenges, 'RFC 6750 and RFC 9470: a good token that does not reach'],
      ['decisions/conditions.yaml', 'S22 a weaker context is not enough'],
    ],
  },
  {
    row: 'RFC 9470 auth_time',
    expected: 'compared with the skew; missing is insufficient',
    tests: [
      ['decisions/conditions.yaml', 'S22 clocks may differ a little'],
      ['decisions/conditions.yaml', 'S22 a login too long ago is not enough'],
      ['decisions/conditions.yaml', 'S22 a missing time is not enough'],
    ],
  },
  {
    row: 'RFC 6750 no credential',
    expected: '401 without an error code',
    tests: [[authenticate, 'no credential: a challenge without an error code']],
  },
  {
    row: 'RFC 6750 invalid token',
    expected: '401 invalid_token',
    tests: [[authenticate, 'a bad token: invalid_token']],
  },
  {
    row: 'RFC 6750 insufficient scope',
    expected: '403 insufficient_scope with the scope',
    tests: [
      [decisions, 'a scope that is missing is named with 403'],
      ['unit/engine/dpop.test.ts', 'RFC 6750: a scope'],
    ],
  },
  {
    row: 'RFC 6750 two methods',
    expected: '400 invalid_request',
    tests: [[authenticate, 'two credentials: invalid_request']],
  },
  {
    row: 'RFC 9110 11.1',
    expected: 'the scheme in any case',
    tests: [
      [table, "['BEARER', "],
      [authenticate, 'schemes are compared in any case over all providers'],
    ],
  },
  {
    row: 'RFC 9701 5',
    expected: 'a signed answer is of its type, issuer, audience and time',
    tests: [[vectors, 'its claims are an identity, in its type alone, for its audience alone']],
  },
  {
    row: 'RFC 7515, 7520, 8037 examples',
    expected: 'good as published, bad with any change',
    tests: [[vectors, 'a signature that a specification publishes']],
  },
];
