import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { apiKeySpec } from './client-specs.ts';
import type { MessageProvider, VerifyResult } from '../../../src/phases/identity/identity-provider.ts';
import { createApiKeyProvider } from '../../../src/phases/identity/api-key/api-key-provider.ts';
import type { Material } from '../../../src/policy/read-material.ts';
import { createWorld, credentialOf, startSeconds, verdictOf, type World } from './identity-fixtures.ts';
import { secretOf, type SecretParts } from './client-fixtures.ts';
import { renewProvider } from './renew-provider.ts';

const key = 'k-acme-0123456789abcdef';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Started extends World {
  readonly keys: MessageProvider;
  readonly ask: (presented: string) => string;
  readonly renew: (...secrets: readonly Material[]) => void;
}

function start(...secrets: readonly Material[]): Started {
  const world = createWorld([]);
  const keys = createApiKeyProvider(apiKeySpec, { texts: new Map(), secrets }, world.ports);
  const ask = (presented: string): string => verdictOf(keys.verify(credentialOf(presented)) as VerifyResult);
  return { ...world, keys, ask, renew: (...next) => renewProvider(keys, { texts: new Map(), secrets: next }) };
}

const refusals = (parts: SecretParts): readonly [verdict: string, error: string | undefined, keys: number] => {
  const { ask, keys } = start(secretOf('acme', parts));
  return [ask(parts.data?.['api-key'] ?? key), keys.status().lastError, keys.status().keys];
};

describe('an API key', () => {
  test('is its client, with what the annotations of its Secret say', () => {
    const annotations = { 'client-id': 'acme-web', scopes: 'orders:read, orders:write', roles: 'partner buyer' };
    const { keys } = start(
      secretOf('acme', { data: { 'api-key': key }, annotations: { ...annotations, expires: '2027-02-01T00:00:00Z' } }),
    );
    expect(keys.verify(credentialOf(key))).toEqual({
      identity: {
        authenticated: true,
        subject: 'acme-web',
        issuer: '',
        provider: 'keys',
        clientId: 'acme-web',
        scopes: ['orders:read', 'orders:write'],
        roles: ['partner', 'buyer'],
        claims: undefined,
        expiresAt: Date.UTC(2027, 1, 1) / 1000,
      },
    });
    expect(keys.status()).toEqual({ keys: 1, keyAgeSeconds: undefined, lastError: undefined });
  });

  test('without annotations is the client that its Secret is named after, without scopes and roles', () => {
    const { keys } = start(secretOf('acme', { data: { 'api-key-sha256': sha256(key) } }));
    expect(keys.verify(credentialOf(key))).toMatchObject({
      identity: { subject: 'acme', clientId: 'acme', scopes: [], roles: [], expiresAt: undefined },
    });
  });

  test.each([
    ['as a hash', { 'api-key-sha256': sha256(key) }],
    ['as a hash in capitals, from a file with a line break', { 'api-key-sha256': `${sha256(key).toUpperCase()}\n` }],
    ['as itself', { 'api-key': key }],
    ['as both, which say the same', { 'api-key': key, 'api-key-sha256': sha256(key) }],
  ])('may be in the Secret %s', (_, data) => {
    expect(start(secretOf('acme', { data })).ask(key)).toBe('allow');
  });

  test.each([
    ['a prefix', key.slice(0, -1)],
    ['one character more', `${key}0`],
    ['another case', key.toUpperCase()],
    ['a space before', ` ${key}`],
    ['a space behind', `${key} `],
    ['a line break', `${key}\n`],
    ['NUL', `${key}\0`],
    ['the hash', sha256(key)],
    ['the seal', `sha256:${sha256(key)}`],
    ['the name of the client', 'acme'],
    ['nothing', ''],
    ['a name that every object has', '__proto__'],
    ['full-width letters', key.replaceAll('k', '\u{FF4B}')],
    ['a lone surrogate', `${key}\uD800`],
  ])('is refused with %s', (_, presented) => {
    const { ask } = start(secretOf('acme', { data: { 'api-key': key } }));
    expect([ask(presented), ask(key)]).toEqual(['credential_unknown', 'allow']);
  });

  test('that is longer than any token is refused before it is hashed', () => {
    const { ask } = start(secretOf('acme', { data: { 'api-key': key } }));
    expect(ask('k'.repeat(16_385))).toBe('token_too_large');
  });

  test('ends when its annotation says, to the second, whatever the skew of tokens', async () => {
    const expires = new Date((startSeconds + 60) * 1000).toISOString();
    const { ask, time } = start(secretOf('acme', { data: { 'api-key': key }, annotations: { expires } }));
    await time.advance(59_999);
    expect(ask(key)).toBe('allow');
    await time.advance(1);
    expect(ask(key)).toBe('token_expired');
    time.setWall(startSeconds);
    expect(ask(key)).toBe('allow');
  });
});

describe('a Secret that is refused is named, says nothing of the key, and lets nobody in', () => {
  const keyForm = 'the API key is not of visible ASCII characters alone (a line break at its end?)';
  const noTime = 'its annotation expires is no time of RFC 3339 such as 2027-01-31T00:00:00Z';
  test.each<[string, SecretParts, string]>([
    ['no key', { data: { apikey: key } }, 'it has neither api-key-sha256 nor api-key'],
    ['an empty key', { data: { 'api-key': '' } }, 'the API key is empty'],
    ['a short key', { data: { 'api-key': 'k'.repeat(15) } }, 'the API key has less than 16 characters'],
    ['a long key', { data: { 'api-key': 'k'.repeat(1025) } }, 'the API key has more than 1024 characters'],
    ['a line break behind it', { data: { 'api-key': `${key}\n` } }, keyForm],
    ['a space in it', { data: { 'api-key': `${key} and more` } }, keyForm],
    ['letters beyond ASCII', { data: { 'api-key': `${key}ä` } }, keyForm],
    ['half a hash', { data: { 'api-key-sha256': 'abc123' } }, 'its api-key-sha256 is not of 64 hexadecimal digits'],
    [
      'a hash of another key',
      { data: { 'api-key': key, 'api-key-sha256': sha256('other') } },
      'its api-key-sha256 is of another key than its api-key',
    ],
    ['an end that is no time', { data: { 'api-key': key }, annotations: { expires: 'tomorrow' } }, noTime],
    ['an end without its hour', { data: { 'api-key': key }, annotations: { expires: '2099-12-31' } }, noTime],
    ['an end without a zone', { data: { 'api-key': key }, annotations: { expires: '2099-12-31T00:00:00' } }, noTime],
    ['the 30th of February', { data: { 'api-key': key }, annotations: { expires: '2099-02-30T00:00:00Z' } }, noTime],
    ['an empty end', { data: { 'api-key': key }, annotations: { expires: '' } }, noTime],
    [
      'S2 a misspelt end',
      { data: { 'api-key': key }, annotations: { expiry: '2020-01-01T00:00:00Z' } },
      'there is no annotation portcullis.dev/expiry: portcullis.dev/client-id, portcullis.dev/scopes, portcullis.dev/roles, portcullis.dev/expires',
    ],
    [
      'an empty client id',
      { data: { 'api-key': key }, annotations: { 'client-id': '' } },
      'its annotation client-id is empty, longer than 253 characters or not printable',
    ],
    [
      'a line break in the client id',
      { data: { 'api-key': key }, annotations: { 'client-id': 'a\nb' } },
      'its annotation client-id is empty, longer than 253 characters or not printable',
    ],
    [
      'a control character in the roles',
      { data: { 'api-key': key }, annotations: { roles: 'a\u0000b' } },
      'its annotation roles has a control character',
    ],
    ['a deletion that waits for finalizers', { data: { 'api-key': key }, isLeaving: true }, 'it is being deleted'],
  ])('%s', (_, parts, why) => {
    expect(refusals(parts)).toEqual(['credential_unknown', `Secret acme: ${why}`, 0]);
  });

  test('and nobody beside it is touched; the log has it once', () => {
    const { ask, renew, keys, log } = start(
      secretOf('bad', { data: { 'api-key': 'short' } }),
      secretOf('good', { data: { 'api-key': key } }),
    );
    renew(secretOf('bad', { data: { 'api-key': 'short' } }), secretOf('good', { data: { 'api-key': key } }));
    expect([ask(key), ask('short'), keys.status().keys]).toEqual(['allow', 'credential_unknown', 1]);
    expect(log.lines).toEqual([
      {
        level: 'warn',
        fields: {
          provider: 'IdentityProvider shop/keys',
          refused: 'Secret bad: the API key has less than 16 characters',
        },
        message: 'Secrets of a provider are refused',
      },
    ]);
  });

  test('of many, four are named', () => {
    const secrets = Array.from({ length: 7 }, (_, index) => secretOf(`s${index}`, {}));
    const why = 'it has neither api-key-sha256 nor api-key';
    const told = [0, 1, 2, 3].map((index) => `Secret s${index}: ${why}`);
    expect(start(...secrets).keys.status().lastError).toBe([...told, 'and 3 more'].join('; '));
  });
});

describe('the Secrets of a provider', () => {
  const old = secretOf('acme-1', { data: { 'api-key': key }, annotations: { 'client-id': 'acme' } });
  const fresh = secretOf('acme-2', { data: { 'api-key': `${key}-2` }, annotations: { 'client-id': 'acme' } });

  test('two of one client are a rotation: both work, and the old one until its Secret is gone', () => {
    const { ask, renew } = start(old, fresh);
    expect([ask(key), ask(`${key}-2`)]).toEqual(['allow', 'allow']);
    renew(fresh);
    expect([ask(key), ask(`${key}-2`)]).toEqual(['credential_unknown', 'allow']);
  });

  test('a key that changes ends at once', () => {
    const { ask, renew } = start(old);
    renew(secretOf('acme-1', { data: { 'api-key': `${key}-3` } }));
    expect([ask(key), ask(`${key}-3`)]).toEqual(['credential_unknown', 'allow']);
  });

  test.each([
    ['of two clients', secretOf('other', { data: { 'api-key-sha256': sha256(key) } })],
    ['of one client', secretOf('other', { data: { 'api-key': key }, annotations: { 'client-id': 'acme' } })],
    ['one of them refused', secretOf('other', { data: { 'api-key': key }, annotations: { expires: 'never' } })],
  ])('two with one key: it works for neither, until one is gone: %s', (_, twin) => {
    const { ask, renew, keys } = start(old, twin);
    expect(ask(key)).toBe('credential_unknown');
    expect(keys.status().lastError).toContain(
      'Secrets acme-1, other have the same API key, so that it works for none of them',
    );
    expect(keys.status().keys).toBe(0);
    renew(old);
    expect([ask(key), keys.status().lastError]).toEqual(['allow', undefined]);
  });

  test('one of ten thousand changes without the others being read again', () => {
    const many = Array.from({ length: 10_000 }, (_, index) =>
      secretOf(`client-${index}`, { data: { 'api-key-sha256': sha256(`${key}-n${index}`) } }),
    );
    const { ask, renew, keys } = start(...many);
    let read = 0;
    for (const { data } of many) {
      const get = data.get.bind(data);
      (data as Map<string, string>).get = (name) => {
        read++;
        return get(name);
      };
    }
    renew(...many.slice(1), fresh);
    expect([read, keys.status().keys, ask(`${key}-n0`), ask(`${key}-n9999`), ask(`${key}-2`)]).toEqual([
      0,
      10_000,
      'credential_unknown',
      'allow',
      'allow',
    ]);
  });
});
