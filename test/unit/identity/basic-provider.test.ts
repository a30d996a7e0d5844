import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { createBasicProvider } from '../../../src/phases/identity/basic/basic-provider.ts';
import type { MessageProvider } from '../../../src/phases/identity/identity-provider.ts';
import type { IdentitySettings } from '../../../src/phases/identity/identity-settings.ts';
import { basicPlace, basicSpec, basicToken, fakePasswords, hashOf, htpasswd } from './basic-fixtures.ts';
import { createWorld, requestOf, verdictOf } from './identity-fixtures.ts';
import { renewProvider } from './renew-provider.ts';

const users = `alice:${hashOf('a')}\nbob:${hashOf('b')}`;

function start(text: string | undefined = users, settings: Partial<IdentitySettings> = {}) {
  const world = createWorld([], settings);
  const passwords = fakePasswords();
  const provider = createBasicProvider(basicSpec, htpasswd(text), { ...world.ports, passwords });
  return { ...world, provider, passwords };
}

async function ask(provider: MessageProvider, user: string, password: string): Promise<string> {
  const token = basicToken(user, password);
  return verdictOf(await provider.verify({ token, place: basicPlace, request: requestOf({}) }));
}

describe('who comes in', () => {
  test('is who has a right password, and has nothing but a name', async () => {
    const { provider, passwords } = start();
    passwords.atOnce();
    const token = basicToken('alice', 'a');
    expect(await provider.verify({ token, place: basicPlace, request: requestOf({}) })).toEqual({
      identity: {
        authenticated: true,
        subject: 'alice',
        issuer: '',
        provider: 'people',
        clientId: '',
        scopes: [],
        roles: [],
        claims: undefined,
        expiresAt: undefined,
      },
    });
  });

  test.each([
    ['another password', 'alice', 'b'],
    ['no password', 'alice', ''],
    ['nobody known', 'mallory', 'a'],
    ['a property of every object', 'constructor', 'a'],
  ])('is not %s', async (_what, user, password) => {
    const { provider, passwords, events } = start();
    passwords.atOnce();
    expect(await ask(provider, user, password)).toBe('password_rejected');
    expect(events).toEqual(['wrong']);
  });

  test('is not somebody unknown whose password is that of the user in whose place they are judged', async () => {
    const { provider, passwords } = start(`alice:${hashOf('a')}`);
    passwords.atOnce();
    expect(await ask(provider, 'mallory', 'a')).toBe('password_rejected');
    expect(passwords.against).toEqual([hashOf('a')]);
    expect(await ask(provider, 'mallory', 'a')).toBe('password_rejected');
  });

  test('is not a password of which bcrypt reads only a part', async () => {
    const long = 'x'.repeat(72);
    // The same to bcrypt, as a real one would have it.
    const same = { matches: () => Promise.resolve(true) };
    const world = createWorld([]);
    const provider = createBasicProvider(basicSpec, htpasswd(users), { ...world.ports, passwords: same });
    expect(await ask(provider, 'alice', long)).toBe('allow');
    expect(await ask(provider, 'alice', `${long}x`)).toBe('password_rejected');
    expect(await ask(provider, 'alice', 'ü'.repeat(37))).toBe('password_rejected');
  });

  test('is nobody where the Secret is missing, which is not their fault', async () => {
    const { provider, passwords } = start(undefined);
    const missing = createBasicProvider(basicSpec, htpasswd(undefined), createWorld([]).ports);
    expect(await ask(missing, 'alice', 'a')).toBe('keys_unavailable');
    expect(missing.status()).toEqual({
      keys: 0,
      keyAgeSeconds: undefined,
      lastError: 'the Secret shop/htpasswd has no key users, or is not there',
      unusable: 'the Secret shop/htpasswd has no key users, or is not there',
    });
    passwords.atOnce();
    expect(await ask(provider, 'alice', 'a')).toBe('allow');
  });

  test('is nobody where the file has no user, and nothing is computed', async () => {
    const { provider, passwords } = start('# nobody yet');
    expect(await ask(provider, 'alice', 'a')).toBe('password_rejected');
    expect(passwords.computed).toEqual([]);
  });

  test('a credential that is too long is not read', async () => {
    const { provider } = start(users, { maxTokenBytes: 20 });
    expect(await ask(provider, 'alice', 'a'.repeat(40))).toBe('token_too_large');
  });
});

describe('what is remembered', () => {
  test('is a right password, for five minutes', async () => {
    const { provider, passwords, time, events } = start();
    passwords.atOnce();
    expect([await ask(provider, 'alice', 'a'), await ask(provider, 'alice', 'a')]).toEqual(['allow', 'allow']);
    expect([passwords.computed.length, events]).toEqual([1, ['right', 'remembered']]);
    await time.advance(299_999);
    await ask(provider, 'alice', 'a');
    expect(passwords.computed.length).toBe(1);
    await time.advance(1);
    await ask(provider, 'alice', 'a');
    expect(passwords.computed.length).toBe(2);
  });

  test('is no wrong password: however many come, those that were right stay', async () => {
    const { provider, passwords, events } = start(users, { passwordCacheEntries: 2 });
    passwords.atOnce();
    await ask(provider, 'alice', 'a');
    await ask(provider, 'bob', 'b');
    for (let index = 0; index < 50; index++) await ask(provider, 'alice', `wrong ${index}`);
    const before = passwords.computed.length;
    expect([await ask(provider, 'alice', 'a'), await ask(provider, 'bob', 'b')]).toEqual(['allow', 'allow']);
    expect([passwords.computed.length, events.slice(-2)]).toEqual([before, ['remembered', 'remembered']]);
  });

  test('ends with the hash of the user, and stays for the others', async () => {
    const { provider, passwords } = start();
    passwords.atOnce();
    await ask(provider, 'alice', 'a');
    await ask(provider, 'bob', 'b');
    renewProvider(provider, htpasswd(`alice:${hashOf('new')}\nbob:${hashOf('b')}`));
    expect(await ask(provider, 'alice', 'a')).toBe('password_rejected');
    expect(await ask(provider, 'alice', 'new')).toBe('allow');
    const before = passwords.computed.length;
    expect(await ask(provider, 'bob', 'b')).toBe('allow');
    expect(passwords.computed.length).toBe(before);
  });

  test('ends with the user and with the Secret', async () => {
    const { provider, passwords } = start();
    passwords.atOnce();
    await ask(provider, 'alice', 'a');
    renewProvider(provider, htpasswd(`bob:${hashOf('b')}`));
    expect(await ask(provider, 'alice', 'a')).toBe('password_rejected');
    renewProvider(provider, htpasswd(undefined));
    expect(await ask(provider, 'bob', 'b')).toBe('keys_unavailable');
    renewProvider(provider, htpasswd(users));
    expect(await ask(provider, 'alice', 'a')).toBe('allow');
  });

  test('is nothing of a password that was computed while its user was taken away', async () => {
    const { provider, passwords } = start();
    const late = ask(provider, 'alice', 'a');
    await setImmediate();
    renewProvider(provider, htpasswd(`bob:${hashOf('b')}`));
    passwords.settleOne();
    expect(await late).toBe('password_rejected');
    renewProvider(provider, htpasswd(users));
    const again = ask(provider, 'alice', 'a');
    await setImmediate();
    expect(passwords.computed.length).toBe(2);
    passwords.settleOne();
    expect(await again).toBe('allow');
  });
});

describe('a flood', () => {
  test('of one name and password is computed once', async () => {
    const { provider, passwords } = start();
    const asked = Array.from({ length: 100 }, () => ask(provider, 'alice', 'a'));
    await setImmediate();
    expect(passwords.computed).toEqual(['a']);
    passwords.settleOne();
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['allow']));
  });

  test('of wrong passwords finds two at work and 32 waiting, and the others are turned away at once', async () => {
    const { provider, passwords, events } = start();
    passwords.atOnce();
    await ask(provider, 'alice', 'a');
    const slow = start();
    const asked = Array.from({ length: 100 }, (_, index) => ask(slow.provider, `nobody ${index}`, 'x'));
    await setImmediate();
    expect([slow.passwords.waiting(), slow.events.filter((event) => event === 'busy').length]).toEqual([2, 66]);
    slow.passwords.atOnce();
    const verdicts = await Promise.all(asked);
    expect(verdicts.filter((verdict) => verdict === 'provider_busy').length).toBe(66);
    expect(verdicts.filter((verdict) => verdict === 'password_rejected').length).toBe(34);
    expect(events).toEqual(['right']);
  });

  test('does not reach those who are remembered', async () => {
    const { provider, passwords } = start();
    const first = ask(provider, 'alice', 'a');
    await setImmediate();
    passwords.settleOne();
    expect(await first).toBe('allow');
    const flood = Array.from({ length: 100 }, (_, index) => ask(provider, 'bob', `wrong ${index}`));
    await setImmediate();
    expect(await ask(provider, 'alice', 'a')).toBe('allow');
    passwords.atOnce();
    await Promise.all(flood);
  });

  test('of passwords for one name leaves room for the others', async () => {
    const { provider, passwords } = start();
    const flood = Array.from({ length: 100 }, (_, index) => ask(provider, 'alice', `wrong ${index}`));
    const other = ask(provider, 'bob', 'b');
    await setImmediate();
    passwords.atOnce();
    expect(await other).toBe('allow');
    const verdicts = await Promise.all(flood);
    expect(verdicts.filter((verdict) => verdict === 'provider_busy').length).toBe(96);
    expect(await ask(provider, 'alice', 'a')).toBe('allow');
  });

  test('that lasts: who waited longer than three seconds is not computed any more', async () => {
    const { provider, passwords, time } = start();
    const asked = ['x', 'y', 'z'].map((user) => ask(provider, user, 'p'));
    await setImmediate();
    expect(passwords.waiting()).toBe(2);
    await time.advance(3001);
    passwords.settleOne();
    expect(await asked[2]).toBe('provider_busy');
    passwords.atOnce();
    expect(await Promise.all(asked)).toEqual(['password_rejected', 'password_rejected', 'provider_busy']);
    expect(passwords.computed.length).toBe(2);
  });
});

describe('what fails', () => {
  test('denies, is told, and leaves nothing behind', async () => {
    const { provider, passwords, log, events } = start();
    const asked = ask(provider, 'alice', 'canary4711');
    await setImmediate();
    passwords.settleOne('fails');
    expect(await asked).toBe('internal_error');
    expect([events, log.lines.map(({ level, message }) => [level, message])]).toEqual([
      ['failed'],
      [['error', 'a password could not be verified']],
    ]);
    expect(JSON.stringify(log.lines)).not.toContain('canary4711');
    passwords.atOnce();
    expect(await ask(provider, 'alice', 'a')).toBe('allow');
  });

  test('a provider that ends turns away who waits', async () => {
    const { provider, passwords } = start();
    const asked = ['x', 'y', 'z'].map((user) => ask(provider, user, 'p'));
    await setImmediate();
    provider.close();
    expect(await asked[2]).toBe('provider_busy');
    passwords.atOnce();
    expect(await Promise.all(asked)).toEqual(['password_rejected', 'password_rejected', 'provider_busy']);
  });

  test('status names lines and holds nothing of them', () => {
    const { provider } = start(`alice:${hashOf('a')}\ncanary1:canary2`);
    const faults =
      'the key users of the Secret shop/htpasswd: not used: line 2 (neither a bcrypt, an argon2 nor a scrypt hash)';
    expect(provider.status()).toEqual({ keys: 1, keyAgeSeconds: undefined, lastError: faults, unusable: faults });
  });
});
