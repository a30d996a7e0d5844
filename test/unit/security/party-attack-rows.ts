import {
  clocks,
  dpop,
  binding,
  faults,
  floods,
  identity,
  keys,
  table,
  vectors,
  type SecurityRow,
} from './security-row.ts';

/** Attacks on whom we ask, on how a credential comes, and on the other kinds of credential. */
export const partyAttackRows: readonly SecurityRow[] = [
  {
    row: 'JWKS flood by random kid',
    expected: 'at most two fetches a minute, up or down; known kids unaffected',
    tests: [
      [keys, 'a flood of unknown key ids, or of signatures that are wrong'],
      [floods, 'a flood of unknown keys causes at most two fetches a minute'],
    ],
  },
  {
    row: 'flood of opaque tokens, passwords, API keys, consumers, proofs',
    expected: 'bounded; known ones go on',
    tests: [
      [floods, 'a flood of credentials that nobody gave out'],
      [`${identity}/introspection-provider.test.ts`, 'of random tokens has at most 50 questions under way'],
      [`${identity}/service-account-provider.test.ts`, 'stays when others make up thousands of tokens'],
    ],
  },
  {
    row: 'token of an unconfigured issuer',
    expected: '401, no request',
    tests: [
      [table, 'issuer that is not configured'],
      [`${identity}/authenticate.test.ts`, 'none: 401 without any call'],
    ],
  },
  {
    row: 'expired, wrong iss, wrong aud',
    expected: '401 before any fetch',
    tests: [[table, 'calls that a token may cause']],
  },
  {
    row: 'JWKS outage after warm-up',
    expected: 'allow through the stale window',
    tests: [
      [keys, 'keeps known keys for the stale window'],
      [faults, 'known keys go on, and new ones come when it is well'],
    ],
  },
  {
    row: 'JWKS outage from the start',
    expected: '503, recovers by itself',
    tests: [
      [keys, 'denies with keys_unavailable and recovers by itself'],
      [faults, 'from the start: denied as ours, and good by itself when it is well'],
    ],
  },
  {
    row: 'key rotation, overlap and hard',
    expected: 'allow, at most one fetch',
    tests: [
      [keys, 'rotation with overlap'],
      [keys, 'hard rotation'],
      [faults, 'with overlap, without, and withdrawn'],
    ],
  },
  {
    row: 'key withdrawn',
    expected: '401 after one refresh, remembered tokens too',
    tests: [
      [keys, 'a withdrawn key is denied after one refresh, its cached tokens too'],
      [faults, 'with overlap, without, and withdrawn'],
    ],
  },
  {
    row: 'JWKS of 10 MB, gzip bomb, 100 000 keys',
    expected: 'refused at a limit, last good kept',
    tests: [
      [faults, 'faults.map((fault)'],
      [keys, 'answers 101 keys'],
      ['unit/runtime/http-client.test.ts', 'that is compressed is refused, a bomb before it is undone'],
      ['unit/runtime/http-client.test.ts', 'of 10 MB is refused'],
    ],
  },
  {
    row: 'slow JWKS, slow drip',
    expected: 'time-out for the whole; others unaffected',
    tests: [
      [faults, 'whoever waits for one that hangs holds up nobody who asks another'],
      ['unit/runtime/http-client.test.ts', 'that drips, or never begins, ends with the time for the whole'],
    ],
  },
  {
    row: 'empty JWKS, HTML 200, 404, 500',
    expected: 'last good kept; no keys never means allow',
    tests: [
      [keys, 'answers HTML'],
      [keys, 'answers an empty set'],
      [keys, 'answers 500'],
    ],
  },
  {
    row: 'SSRF via discovery, redirect, DNS rebinding, decimal, octal and IPv6-mapped addresses',
    expected: 'refused at dial; no redirect followed',
    tests: [
      ['unit/runtime/http-client.test.ts', 'that a name leads to is judged where it is dialled'],
      ['unit/runtime/http-client.test.ts', 'in whatever form it is written'],
      ['support/faulty-server.ts', 'a redirect to a metadata address'],
      [faults, "path.includes('again')"],
    ],
  },
  {
    row: 'faults of introspection',
    expected: '503, remembered for nobody',
    tests: [
      [faults, 'nobody is let in by it, and the next answer counts when it is well'],
      [`${identity}/introspection-faults.test.ts`, 'is a 503, remembered for nobody, and told without a secret'],
      [`${identity}/introspection-faults.test.ts`, 'down is a 503, and up again an answer'],
    ],
  },
  {
    row: 'faults of the API server',
    expected: '503, recovers',
    tests: [
      [faults, 'no review is believed, and the next one is when it is well'],
      ['unit/kubernetes/reviews.test.ts', 'a server that does not answer'],
    ],
  },
  {
    row: 'ID token as access token',
    expected: '401',
    tests: [
      [table, 'id_token as access token'],
      [table, 'an ID token with ${name}'],
    ],
  },
  {
    row: 'several Authorization headers, comma-joined',
    expected: '400, never first-wins',
    tests: [
      [table, 'several Authorization headers are refused by the canonicaliser'],
      [table, 'comma-joined, the same twice'],
      ['decisions/credentials.yaml', 'two authorization headers are refused'],
      ['unit/engine/client-secrets.test.ts', 'two on one request are ambiguous, whichever they are and however good'],
    ],
  },
  {
    row: 'bearer, BEARER',
    expected: 'allow',
    tests: [
      [table, "['bearer', "],
      [table, "['BEARER', "],
    ],
  },
  {
    row: 'Unicode space, tab, NUL, colon as separator',
    expected: '401',
    tests: [[table, 'separator ${JSON.stringify(separator)}']],
  },
  {
    row: 'non-UTF-8 header',
    expected: '401, no crash',
    tests: [
      [table, 'non-UTF-8 header'],
      [dpop, '2 a proof that is not text'],
    ],
  },
  {
    row: 'token in the query',
    expected: 'off by default',
    tests: [
      [table, 'token in the query, not listed'],
      [table, 'control: token in the query, listed'],
    ],
  },
  {
    row: 'token in header and query, both listed',
    expected: '400',
    tests: [
      [table, 'token in header and query'],
      [table, 'cookie and header'],
    ],
  },
  {
    row: 'DPoP-bound as Bearer',
    expected: '401',
    tests: [
      [dpop, 'as Bearer it is refused, with and without a proof (RFC 9449 7.2)'],
      [table, 'DPoP-bound as Bearer'],
    ],
  },
  {
    row: 'DPoP proof missing, old, replayed, wrong method, URI, key, ath',
    expected: '401',
    tests: [
      [dpop, '1 no proof'],
      [dpop, '11 older than 300 s'],
      [dpop, 'the second request with it is refused'],
      [dpop, '8 another method'],
      [dpop, '9 another path'],
      [dpop, '12 the key of somebody else'],
      [dpop, '12 the hash of another token'],
    ],
  },
  {
    row: 'DPoP proof again after the clock was set',
    expected: '401',
    tests: [[clocks, 'a proof is no second time good where the clock is set back by %d s in between']],
  },
  {
    row: 'mTLS-bound without or with another certificate',
    expected: '401',
    tests: [
      [binding, 'without a certificate, or with one that cannot be read, is refused'],
      [binding, 'is the SHA-256 of the certificate that the connection shows'],
      [vectors, 'RFC 8705 appendix A'],
    ],
  },
  {
    row: 'client certificate of another authority, past its end, revoked, not for clients',
    expected: '401',
    tests: [
      [`${identity}/client-certificate.test.ts`, 'of another authority is refused'],
      [`${identity}/client-certificate.test.ts`, 'one that has ended'],
      [`${identity}/client-certificate.test.ts`, 'refuses those on it and no others'],
      [`${identity}/client-certificate.test.ts`, 'one for servers alone'],
    ],
  },
  {
    row: 'x-forwarded-client-cert of somebody who may not send it, or that can be read in two ways',
    expected: '401',
    tests: [
      ['integration/client-certificates.test.ts', 'is not believed where the operator does not say so'],
      ['unit/canonical/forwarded-certificate.test.ts', 'two elements'],
      [`${identity}/credential-fuzz.test.ts`, 'that a proxy forwards is the one that was issued, or none'],
    ],
  },
  {
    row: 'SPIFFE id that only looks like one of the trust domain',
    expected: '401',
    tests: [[`${identity}/client-certificate.test.ts`, 'that is not exactly a SPIFFE id of a trust domain is refused']],
  },
  {
    row: 'service account token for another audience, of a person, of a server that does not look at audiences',
    expected: '401',
    tests: [
      [`${identity}/service-account-provider.test.ts`, 'without audiences, of a server that does not look at them'],
      [`${identity}/service-account-provider.test.ts`, 'about a person'],
    ],
  },
  {
    row: 'introspection: active as text, inactive, another audience, refresh and ID tokens',
    expected: '401 or 503',
    tests: [
      [`${identity}/introspection-faults.test.ts`, 'active: "true"'],
      [`${identity}/introspection-provider.test.ts`, 'token_type refresh_token'],
      [`${identity}/introspection-provider.test.ts`, 'nothing is of one provider for another'],
    ],
  },
  {
    row: 'a password beyond what bcrypt reads, of somebody unknown, base64 in another spelling',
    expected: '401',
    tests: [
      [`${identity}/basic-provider.test.ts`, 'is not a password of which bcrypt reads only a part'],
      [`${identity}/basic-provider.test.ts`, 'is not somebody unknown'],
      [`${identity}/credential-fuzz.test.ts`, 'a name and a password are let in by their one spelling alone'],
    ],
  },
  {
    row: 'no http attributes; empty Check',
    expected: 'a deny in the message',
    tests: [
      ['decisions/main-path.yaml', 'S16 a check without an HTTP part is denied'],
      ['decisions/main-path.yaml', 'a check without a request is denied'],
    ],
  },
  {
    row: 'API key prefix, case, spaces, empty Secret, deleted Secret',
    expected: '401',
    tests: [
      [`${identity}/api-key-provider.test.ts`, "['a prefix', "],
      [`${identity}/api-key-provider.test.ts`, "['another case', "],
      [`${identity}/api-key-provider.test.ts`, "['an empty key', "],
      [`${identity}/api-key-provider.test.ts`, 'the old one until its Secret is gone'],
      ['unit/engine/client-secrets.test.ts', 'come and go without anything else changing'],
    ],
  },
  {
    row: 'a revoked token, remembered or new',
    expected: '401',
    tests: [
      ['unit/engine/revocation.test.ts', 'S34 is refused at once, with a challenge, and nobody beside it'],
      [clocks, 'lasts for its retention at least where the clock is set by %d s'],
    ],
  },
  {
    row: 'a logout token or security event that is forged, of another use, or about somebody else',
    expected: '400, nothing revoked',
    tests: [
      [`${identity}/events/issuer-receiver.test.ts`, 'signed by somebody else'],
      [`${identity}/events/issuer-receiver.test.ts`, 'an access token of the issuer is none'],
      [`${identity}/events/event-fuzz.test.ts`, 'a good message of %s with one changed character is refused'],
    ],
  },
  {
    row: 'anything cached beyond its end, whichever way the clock steps',
    expected: 'never',
    tests: [
      [clocks, 'a token that is remembered is judged as one that nobody has seen, wherever the wall clock is set'],
      [clocks, 'ends with its token though the wall clock was set back'],
      [clocks, 'a TokenReview ends with its token and its ttl'],
      [clocks, 'a right password is remembered for five minutes'],
    ],
  },
  {
    row: 'a wall clock that is set',
    expected: 'told in the log',
    tests: [['unit/runtime/watch-wall-clock.test.ts', 'a wall clock that was set is told once']],
  },
];
