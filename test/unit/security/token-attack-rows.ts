import {
  decisions,
  dpop,
  floods,
  identity,
  keys,
  malformed,
  table,
  vectors,
  type SecurityRow,
} from './security-row.ts';

/** Attacks with a token and with what signs it. */
export const tokenAttackRows: readonly SecurityRow[] = [
  {
    row: 'alg none / None / nOnE, empty or foreign signature, two parts',
    expected: '401',
    tests: [
      [table, 'alg none with an empty signature'],
      [table, 'alg None'],
      [table, 'alg nOnE'],
      [table, 'alg none with a foreign signature'],
      [table, 'two parts'],
      [vectors, 'is none in RFC 7515 A.5'],
    ],
  },
  {
    row: 'RS to HS confusion with PEM, DER, JWK, n',
    expected: '401',
    tests: [
      [table, 'RS to HS confusion with the ${form} of the public key'],
      [`${identity}/shared-secret-jwt-provider.test.ts`, 'a signature of a private key'],
      [`${identity}/signed-answers.test.ts`, 'signed with an HMAC of the public key'],
      [dpop, '5 an HMAC with the public key as the secret'],
    ],
  },
  {
    row: 'oct key in the JWKS of an RS issuer',
    expected: 'the key is left out and named; 401',
    tests: [[table, 'a bad key among good ones is left out and named, the others work']],
  },
  {
    row: 'one unknown, malformed or weak key among the good ones in a JWKS',
    expected: 'that key is left out and named, the others work',
    tests: [
      [table, 'a bad key among good ones is left out and named, the others work'],
      [malformed, 'a key with which anybody could sign, or that is none'],
      [`${identity}/token-fuzz.test.ts`, 'whatever was changed in a JWKS, nobody else is let in by it'],
    ],
  },
  {
    row: 'alg not allowed by policy; JWK alg, use or crv mismatch',
    expected: '401',
    tests: [
      [table, 'alg not allowed by the provider'],
      [table, 'JWK alg mismatch'],
      [table, 'crv mismatch'],
      [table, "['use', "],
    ],
  },
  {
    row: 'kid injection: path traversal, SQL, command, URL, NUL, __proto__',
    expected: '401, never logged raw',
    tests: [
      [table, 'kid injection'],
      [`${identity}/jwt-provider.test.ts`, 'no message of a denial holds a part of the token'],
    ],
  },
  { row: 'kid not a string', expected: '401', tests: [[table, 'kid ${JSON.stringify(kid)}']] },
  {
    row: 'kid unknown, good signature',
    expected: '401 after at most one rate-limited refresh',
    tests: [
      [keys, 'hard rotation'],
      [floods, 'a flood of unknown keys causes at most two fetches a minute'],
    ],
  },
  {
    row: 'no kid, several keys',
    expected: 'allow',
    tests: [
      [table, 'no kid, several keys'],
      [table, 'no kid, foreign key'],
    ],
  },
  {
    row: 'jku, x5u, jwk, x5c in the header',
    expected: 'ignored, no request, 401',
    tests: [
      [table, 'jwk in the header'],
      [table, 'x5c in the header'],
      [table, 'control: jku, x5u, jwk and x5c are ignored'],
    ],
  },
  { row: 'crit unknown, empty, a string', expected: '401', tests: [[table, 'crit ${JSON.stringify(crit)}']] },
  {
    row: 'b64: false',
    expected: '401 always',
    tests: [
      [table, 'b64 false'],
      [table, 'b64 false with crit'],
    ],
  },
  {
    row: 'duplicate JSON members in the header',
    expected: '401',
    tests: [
      [table, 'duplicate member in the header'],
      [table, 'duplicate member, escaped'],
    ],
  },
  { row: 'duplicate claims', expected: '401', tests: [[table, 'duplicate claim']] },
  {
    row: 'huge token: 64 kB; 10 000 dots',
    expected: '401 fast',
    tests: [
      [table, "'64 kB'"],
      [table, '10 000 dots'],
    ],
  },
  {
    row: 'deep JSON',
    expected: '401, no overflow',
    tests: [
      [table, 'deep JSON'],
      [table, 'control: 20 deep'],
    ],
  },
  {
    row: 'nested JWT, JWE, JSON serialisation',
    expected: '401',
    tests: [
      [table, 'nested JWT'],
      [table, 'JWE of five parts'],
      [table, 'JSON serialisation'],
      [vectors, 'none that is taken in the JSON serialisations'],
    ],
  },
  {
    row: 'exp string, null, bool, array, negative, past, NaN, hex, +1, 1e999, missing',
    expected: '401',
    tests: [
      [table, 'exp ${exp}'],
      [table, "'1e999'"],
      [table, 'exp in the year 10000'],
      [table, 'exp missing'],
    ],
  },
  { row: 'exp float in the future', expected: 'allow', tests: [[table, 'exp float']] },
  {
    row: 'nbf in the future or not a number',
    expected: '401 beyond the skew',
    tests: [
      [table, 'nbf in the future'],
      [table, 'nbf not a number'],
    ],
  },
  { row: 'iat in the future', expected: '401 beyond the skew', tests: [[table, 'iat in the future']] },
  {
    row: 'aud missing, array without us, object, prefix, suffix, comma list, *',
    expected: '401',
    tests: [
      [table, 'aud ${JSON.stringify(aud)}'],
      [table, 'aud an array with us'],
    ],
  },
  {
    row: 'iss trailing slash, case, http, userinfo, port, NUL',
    expected: '401',
    tests: [[table, 'iss ${JSON.stringify(iss)}']],
  },
  { row: 'sub not a string', expected: '401', tests: [[table, 'sub ${JSON.stringify(sub)}']] },
  {
    row: 'CR LF NUL in a claim copied to a header',
    expected: 'deny',
    tests: [
      ['decisions/credentials.yaml', 'S25 a control character is refused'],
      ['unit/envoy/check-service.test.ts', 'where a header of an allow may not leave'],
    ],
  },
  {
    row: 'prototype names in claims',
    expected: 'no effect',
    tests: [
      [table, 'prototype names in claims'],
      [table, 'claims only in __proto__'],
    ],
  },
  {
    row: 'scope or group substring, case, comma',
    expected: '403',
    tests: [
      [decisions, 'scopePrefix'],
      [decisions, 'scopeCase'],
      [decisions, 'scopeComma'],
      [decisions, 'groupPart'],
      [decisions, 'groupCase'],
      [decisions, 'groupComma'],
    ],
  },
  {
    row: 'weak RSA 1024',
    expected: '401, key named, not 500',
    tests: [
      [table, 'RSA 1024'],
      [table, 'a token of a key that was left out is denied, and not with an error of ours'],
      [dpop, '7 an RSA key below 2048 bits'],
    ],
  },
  {
    row: 'RSA e = 1',
    expected: '401, key named',
    tests: [
      [table, 'RSA e = 1'],
      [malformed, 'an RSA exponent of zero'],
    ],
  },
  {
    row: 'ES256 r or s in {0, n, …}',
    expected: '401',
    tests: [
      [table, 'ES256 degenerate r or s'],
      [malformed, 'r and s are two numbers of 32 octets'],
    ],
  },
  {
    row: 'ES256 high-s (malleable)',
    expected: 'either; the raw token is no identity for replay or revocation',
    tests: [
      [malformed, 'Malleable by nature'],
      [dpop, 'a proof is used once'],
    ],
  },
  {
    row: 'DER, truncated, padded, overlong signature',
    expected: '401',
    tests: [
      [table, 'DER signature'],
      [table, 'truncated signature'],
      [table, 'padded signature'],
      [table, 'overlong signature'],
    ],
  },
  {
    row: 'lenient PKCS #1 padding, PSS parameters, EdDSA s + L, keys of small order',
    expected: '401',
    tests: [
      [malformed, 'the padding is the one padding'],
      [malformed, 'the salt is as long as the digest'],
      [malformed, 's with the order added'],
      [malformed, 'Ed25519 of small order'],
    ],
  },
  {
    row: 'white space or junk inside base64url',
    expected: '401',
    tests: [
      [table, 'a plus sign in base64url'],
      [table, 'unused bits in base64url'],
      ['unit/std/base64url.test.ts', "['A A']"],
    ],
  },
  { row: 'same kid at two issuers', expected: '401', tests: [[table, 'the same kid at two issuers stays two keys']] },
];
