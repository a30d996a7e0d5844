import { describe, expect, test } from 'vitest';
import { printConfigYaml } from '../../../src/runtime/config/print-config.ts';
import { outline, problemsOf, resolve } from './config-fixtures.ts';

const policies = { PORTCULLIS_POLICIES: 'policies' };
const url = (text: string) => ({ ...policies, PORTCULLIS_REDIS_URL: text });

describe('the URL of Redis', () => {
  test.each([
    ['redis://redis', 'redis://redis:6379/0'],
    ['redis://redis.store.svc:6380/15', 'redis://redis.store.svc:6380/15'],
    ['rediss://[fd00::1]:6379', 'rediss://[fd00::1]:6379/0'],
    ['redis://127.0.0.1/', 'redis://127.0.0.1:6379/0'],
  ])('%s is taken, and shown as %s', (text, shown) => {
    const resolved = resolve(url(text));
    expect(resolved.ok && printConfigYaml(resolved.settings)).toContain(`redisUrl: "${shown}" # PORTCULLIS_REDIS_URL`);
  });

  test('is none where it is empty', () => {
    const resolved = resolve(url(''));
    expect(resolved.ok && resolved.config.redisUrl).toBe(undefined);
  });

  test.each([
    'redis://user:canary4711@redis',
    'redis://:canary4711@redis',
    'redis://canary4711@redis',
    'http://canary4711',
    'redis://redis:0/canary4711',
    'redis://redis:70000#canary4711',
    'canary4711',
    'redis://redis?canary4711',
  ])('%s is refused and never shown: it may hold a password', (text) => {
    const inFile = resolve(policies, `redisUrl: "${text}"\n`);
    for (const resolved of [resolve(url(text)), inFile]) {
      expect([resolved.ok, problemsOf(resolved).map(({ code }) => code)]).toEqual([false, ['invalid-value']]);
      expect(JSON.stringify(problemsOf(resolved))).not.toContain('canary4711');
    }
  });
});

describe('settings of Redis that cannot do what they were written for', () => {
  const file = { PORTCULLIS_REDIS_PASSWORD_FILE: '/redis/password' };
  test.each([
    ['a password for nobody', { ...policies, ...file }, 'PORTCULLIS_REDIS_PASSWORD_FILE: error: missing-field'],
    [
      'a user of nothing',
      { ...policies, PORTCULLIS_REDIS_USERNAME: 'u' },
      'PORTCULLIS_REDIS_USERNAME: error: missing-field',
    ],
    [
      'issuers without TLS',
      { ...url('redis://redis'), PORTCULLIS_REDIS_CA_FILE: '/ca.crt' },
      'PORTCULLIS_REDIS_CA_FILE: error: missing-field',
    ],
    [
      'a user without a password',
      { ...url('rediss://redis'), PORTCULLIS_REDIS_USERNAME: 'u' },
      'PORTCULLIS_REDIS_USERNAME: error: missing-field',
    ],
  ])('%s is an error, with its place', (_title, env, expected) => {
    const resolved = resolve(env);
    expect([resolved.ok, outline(problemsOf(resolved))]).toEqual([false, [expected]]);
  });

  test('a password over a network without TLS is a warning', () => {
    const resolved = resolve({ ...url('redis://redis'), ...file });
    expect([resolved.ok, outline(problemsOf(resolved))]).toEqual([
      true,
      ['PORTCULLIS_REDIS_URL: warning: invalid-value'],
    ]);
  });

  test.each([
    ['with TLS', url('rediss://redis')],
    ['on this machine', url('redis://127.0.0.1')],
  ])('a password %s is right', (_title, env) => {
    const resolved = resolve({ ...env, ...file, PORTCULLIS_REDIS_USERNAME: 'portcullis' });
    expect([resolved.ok, problemsOf(resolved)]).toEqual([true, []]);
  });
});
