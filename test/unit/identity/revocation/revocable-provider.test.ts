import { expect, test } from 'vitest';
import type { MessageProvider, MessageProviderSpec } from '../../../../src/phases/identity/identity-provider.ts';
import { toRevocable } from '../../../../src/phases/identity/revocation/revocable-provider.ts';
import { credentialOf, jwtSpec, startSeconds, verdictOf } from '../identity-fixtures.ts';
import { introspectionSpec } from '../introspection-fixtures.ts';
import { createWorld, identityOf, revocationOf } from './revocation-world.ts';

/** A provider that vouches for alice, whose token was issued so many seconds from now. */
function providerOf(spec: MessageProviderSpec, seconds: number): MessageProvider {
  return {
    layer: 'message',
    spec,
    places: [],
    firstLoad: Promise.resolve(),
    status: () => ({ keys: 0, keyAgeSeconds: undefined, lastError: undefined }),
    close: () => undefined,
    verify: () => ({ identity: identityOf({ claims: { sub: 'alice', iat: startSeconds + seconds } }) }),
  };
}

test.each([
  ['a document with clockSkew', jwtSpec({ clockSkew: 120 }), 119, 121],
  ['a kind without it', introspectionSpec(), 29, 31],
] satisfies readonly [string, MessageProviderSpec, number, number][])(
  'what is widened reaches the tokens of a clock that is ahead by as much as the provider bears: %s',
  async (_name, spec, within, beyond) => {
    const { revocations } = createWorld({ maxEntries: 3 });
    const verdicts = async (): Promise<readonly string[]> =>
      Promise.all(
        [within, beyond].map(async (seconds) => {
          const provider = toRevocable(providerOf(spec, seconds), revocations);
          if (provider.layer !== 'message') throw new Error('it is another provider');
          return verdictOf(await provider.verify(credentialOf('t')));
        }),
      );
    expect(await verdicts()).toEqual(['allow', 'allow']);
    const tokens = ['a', 'b', 'c', 'd'].map((value) => revocationOf({ target: 'jti', value }));
    await revocations.add('events', tokens);
    expect(await verdicts()).toEqual(['token_revoked', 'allow']);
  },
);
