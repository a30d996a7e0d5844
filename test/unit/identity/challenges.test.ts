import { describe, expect, test } from 'vitest';
import { denial } from '../../../src/core/decision.ts';
import type { ReasonCode } from '../../../src/core/reason.ts';
import { compileChallenges, peerChallenge } from '../../../src/phases/identity/challenges.ts';
import type { MessageProvider, MessageProviderSpec } from '../../../src/phases/identity/identity-provider.ts';
import { placesOf } from '../../../src/policy/providers/credential-forms.ts';
import type { CredentialPlace } from '../../../src/policy/provider-spec.ts';
import { bearer, jwtSpec } from './identity-fixtures.ts';

const head = { kind: 'IdentityProvider', namespace: 'shop', name: 'p' } as const;
const secrets = { namespace: 'shop', labels: [['a', 'b']] } as const;
const basicPlace = { ...bearer, scheme: 'Basic' };
const apiKeyPlace = { ...bearer, scheme: 'APIKEY' };
const specs = {
  jwt: jwtSpec(),
  bearerOnly: jwtSpec({ binding: { certificate: 'IfBound', dpop: 'Ignore' } }),
  dpopOnly: jwtSpec({ binding: { certificate: 'IfBound', dpop: 'Required' } }),
  basic: { ...head, type: 'Basic', users: { namespace: 'shop', name: 'u', key: 'u' }, from: [basicPlace] },
  keyWithScheme: { ...head, type: 'APIKey', secrets, from: [apiKeyPlace] },
  key: {
    ...head,
    type: 'APIKey',
    secrets,
    from: [
      { in: 'header', name: 'x-api-key', scheme: undefined },
      { in: 'query', name: 'key' },
      { in: 'cookie', name: 'key' },
    ],
  },
  serviceAccount: { ...head, type: 'ServiceAccount', audiences: ['a'], from: [bearer] },
} as const satisfies Record<string, MessageProviderSpec>;

function providerOf(spec: MessageProviderSpec): MessageProvider {
  return {
    layer: 'message',
    spec,
    places: placesOf(spec),
    firstLoad: Promise.resolve(),
    verify: () => ({ denial: denial('token_malformed') }),
    status: () => ({ keys: 0, keyAgeSeconds: undefined, lastError: undefined }),
    close: () => undefined,
  };
}

const algs = 'algs="RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA"';
const metadata = 'https://shop.example/.well-known/oauth-protected-resource';

function challenges(
  code: ReasonCode,
  presented: readonly CredentialPlace[],
  kinds: readonly (keyof typeof specs)[],
  resourceMetadata?: string,
): readonly string[] {
  const compiled = compileChallenges(kinds.map((kind) => providerOf(specs[kind])));
  return compiled.forDenial(denial(code, 'Why.'), presented, { realm: 'shop', resourceMetadata });
}

describe('S29 a challenge for each scheme that could work', () => {
  test.each([
    [['jwt'], ['Bearer realm="shop"', `DPoP realm="shop", ${algs}`]],
    [['bearerOnly'], ['Bearer realm="shop"']],
    [['dpopOnly'], [`DPoP realm="shop", ${algs}`]],
    [['serviceAccount'], ['Bearer realm="shop"']],
    [['basic'], ['Basic realm="shop", charset="UTF-8"']],
    [['keyWithScheme'], ['APIKEY realm="shop"']],
    [
      ['key'],
      [
        'ApiKey realm="shop", header="x-api-key"',
        'ApiKey realm="shop", query="key"',
        'ApiKey realm="shop", cookie="key"',
      ],
    ],
    [
      ['bearerOnly', 'basic', 'serviceAccount'],
      ['Bearer realm="shop"', 'Basic realm="shop", charset="UTF-8"'],
    ],
    [[], ['Bearer realm="shop"']],
  ] as const)('without a credential, of %j', (kinds, expected) => {
    expect(challenges('credential_missing', [], kinds)).toEqual(expected);
  });

  test('a bad credential: the error stands with the scheme that it came with', () => {
    const dpop = { ...bearer, scheme: 'DPoP' };
    const error = 'error="invalid_token", error_description="Why."';
    expect(challenges('token_expired', [bearer], ['jwt'])).toEqual([
      `Bearer realm="shop", ${error}`,
      `DPoP realm="shop", ${algs}`,
    ]);
    expect(challenges('token_expired', [dpop], ['jwt'])).toEqual([
      'Bearer realm="shop"',
      `DPoP realm="shop", ${error}, ${algs}`,
    ]);
  });

  test('Basic and API keys have no error codes, and a wrong password is no fault of Bearer', () => {
    expect(challenges('token_malformed', [basicPlace], ['basic', 'bearerOnly'])).toEqual([
      'Basic realm="shop", charset="UTF-8"',
      'Bearer realm="shop"',
    ]);
  });

  test.each([
    ['dpop_proof', 'invalid_dpop_proof'],
    ['dpop_replayed', 'invalid_dpop_proof'],
    ['dpop_nonce', 'use_dpop_nonce'],
    ['token_binding', 'invalid_token'],
  ] as const)('%s is %s (RFC 9449 7.1)', (code, error) => {
    const [, dpop] = challenges(code, [{ ...bearer, scheme: 'dpop' }], ['jwt']);
    expect(dpop).toBe(`DPoP realm="shop", error="${error}", error_description="Why.", ${algs}`);
  });

  test('a token that came by a way that has no scheme: every scheme for tokens says what is wrong', () => {
    const place = { in: 'cookie', name: 't' } as const;
    expect(challenges('token_expired', [place], ['bearerOnly', 'key'])).toEqual([
      'Bearer realm="shop", error="invalid_token", error_description="Why."',
      'ApiKey realm="shop", header="x-api-key"',
      'ApiKey realm="shop", query="key"',
      'ApiKey realm="shop", cookie="key"',
    ]);
    expect(challenges('token_binding', [bearer], ['dpopOnly'])).toEqual([
      `DPoP realm="shop", error="invalid_token", error_description="Why.", ${algs}`,
    ]);
  });

  test('a bad API key in a place of its own is no fault of the schemes for tokens', () => {
    const offered = challenges('credential_missing', [], ['jwt', 'key']);
    for (const place of specs.key.from)
      expect(challenges('credential_unknown', [place], ['jwt', 'key'])).toEqual(offered);
    // The control: the same place beside no API key is where a token was.
    const [first] = challenges('token_expired', [{ in: 'query', name: 'key' }], ['jwt']);
    expect(first).toBe('Bearer realm="shop", error="invalid_token", error_description="Why."');
  });

  test('two credentials: invalid_request', () => {
    expect(challenges('credential_ambiguous', [bearer], ['bearerOnly'])).toEqual([
      'Bearer realm="shop", error="invalid_request", error_description="Why."',
    ]);
  });

  test('what is ours to mend, and what no other credential mends, has none', () => {
    for (const code of ['keys_unavailable', 'store_unavailable', 'internal_error', 'no_rule', 'denied'] as const)
      expect(challenges(code, [bearer], ['jwt', 'basic'])).toEqual([]);
  });

  test('RFC 9728 5.1: the metadata of the resource are named to OAuth clients', () => {
    expect(challenges('credential_missing', [], ['jwt', 'basic'], metadata)).toEqual([
      `Bearer realm="shop", resource_metadata="${metadata}"`,
      `DPoP realm="shop", ${algs}, resource_metadata="${metadata}"`,
      'Basic realm="shop", charset="UTF-8"',
    ]);
  });

  test('RFC 6750 and RFC 9470: a good token that does not reach, for the scheme that it came with', () => {
    const compiled = compileChallenges([providerOf(specs.jwt)]);
    const error = [
      ['error', 'insufficient_user_authentication'],
      ['acr_values', 'gold'],
      ['max_age', '300'],
    ] as const;
    const context = { realm: 'shop', resourceMetadata: undefined };
    expect(compiled.forShortfall(error, [{ ...bearer, scheme: 'DPoP' }], context)).toEqual([
      'Bearer realm="shop"',
      `DPoP realm="shop", error="insufficient_user_authentication", acr_values="gold", max_age="300", ${algs}`,
    ]);
  });

  test('who connects: no scheme is registered', () => {
    expect(peerChallenge({ realm: 'sh"op\r\n' })).toBe(`ClientCertificate realm="sh'op??"`);
  });

  test('no name of a place ends its quotes or its line', () => {
    const spec = { ...specs.key, from: [{ in: 'cookie', name: 'a"b\\c\r\nx: y' }] } as const;
    const [written] = compileChallenges([providerOf(spec)]).forDenial(denial('credential_missing'), [], {
      realm: 'shop',
      resourceMetadata: undefined,
    });
    expect(written).toBe(`ApiKey realm="shop", cookie="a'b?c??x: y"`);
  });
});
