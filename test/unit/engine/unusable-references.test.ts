import { afterEach, describe, expect, test } from 'vitest';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

const provider = (spec: string): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: ${spec}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [a.example]
  authentication: {providers: [{name: idp}]}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]
---`;
const jwt = provider(
  '{type: JWT, jwt: {issuer: "https://idp.example", audiences: [api], jwks: {configMapRef: {name: keys, key: jwks}}}}',
);
const map = (jwks: string): string =>
  `\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: keys, namespace: shop}\ndata: {jwks: ${JSON.stringify(jwks)}}\n`;
const claims = { sub: 'alice' };

async function start(text: (jwks: string) => string): Promise<{ readonly on: DecisionStand; readonly jwks: string }> {
  stand = await createDecisionStand(documentsOf(jwt), {
    issuers: { idp: { alg: 'ES256' } },
    tokens: { alice: { issuer: 'idp', claims } },
  });
  const jwks = JSON.stringify(await stand.mint.jwks('idp'));
  await stand.apply(documentsOf(text(jwks)));
  return { on: stand, jwks };
}

async function ask(on: DecisionStand): Promise<string> {
  const headers = [['authorization', `Bearer ${await on.mint.mint('alice')}`]] as const;
  const decision = await on.engine.check(rawRequest({ host: 'a.example', path: '/', headers }));
  return decision.kind === 'allow' ? decision.about.identity.subject : decision.denial.code;
}

const told = (on: DecisionStand): readonly string[] =>
  on.log
    .filter(({ message }) => message.includes('what it refers to'))
    .map(({ level, message, fields }) =>
      `${level} ${message} ${'unusable' in fields ? String(fields.unusable) : ''}`.trim(),
    );

const cannot = 'warn a provider cannot use what it refers to';
const missing = `${cannot} the ConfigMap shop/keys or its key jwks is missing`;
const mended = 'info a provider can use what it refers to again';
const kept =
  'the key jwks of the ConfigMap shop/keys holds no key set with a usable key that can be read: what it held before stays in force';

describe('a key set in a ConfigMap', () => {
  test.each(['', '<html>', '[]', '{"keys":[]}', '{"keys":[{"kty":"EC"}]}'])(
    'that was good stays in force where %j takes its place, and that is told',
    async (broken) => {
      const { on, jwks } = await start((good) => jwt + map(good));
      expect(await ask(on)).toBe('alice');
      await on.apply(documentsOf(jwt + map(broken)));
      expect(await ask(on)).toBe('alice');
      expect(on.engine.status().providers).toMatchObject([{ keys: 1, lastError: kept, unusable: kept }]);
      await on.apply(documentsOf(jwt + map(jwks)));
      expect(on.engine.status().providers[0]?.lastError).toBeUndefined();
      expect(told(on)).toEqual([missing, mended, `${cannot} ${kept}`, mended]);
    },
  );

  test('that reads well withdraws keys at once', async () => {
    const { on, jwks } = await start((good) => jwt + map(good));
    expect(await ask(on)).toBe('alice');
    const other = await createDecisionStand(documentsOf(jwt), { issuers: { idp: { alg: 'ES256' } } });
    await on.apply(documentsOf(jwt + map(JSON.stringify(await other.mint.jwks('idp')))));
    other.close();
    expect(await ask(on)).not.toBe('alice');
    await on.apply(documentsOf(jwt + map(jwks)));
    expect(await ask(on)).toBe('alice');
  });

  test('that is deleted is gone at once, also after it was broken', async () => {
    const { on } = await start((good) => jwt + map(good));
    await on.apply(documentsOf(jwt + map('<html>')));
    await on.apply(documentsOf(jwt));
    expect(await ask(on)).toBe('keys_unavailable');
    await on.apply(documentsOf(jwt + map('<html>')));
    expect(await ask(on)).toBe('keys_unavailable');
  });

  test('that never was good denies, and the log says why', async () => {
    const { on } = await start(() => jwt + map('[]'));
    expect(await ask(on)).toBe('keys_unavailable');
    expect(told(on)).toEqual([
      missing,
      `${cannot} the key jwks of the ConfigMap shop/keys: the key set is not an object with an array of keys`,
    ]);
  });
});

test('a Secret of passwords that is deleted or broken while it serves denies at once, and is told', async () => {
  const basic = provider('{type: Basic, basic: {secretRef: {name: s, key: users}}}');
  const secret = (users: string): string =>
    `\napiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {users: ${JSON.stringify(users)}}\n`;
  const good = 'alice:$2y$12$0PqF1ZcVJ6Q2dXr1YF0m3OCkZ1Jx5m8m0a7m1uKk0k0Qw1m1v3n9S';
  const on = (stand = await createDecisionStand(documentsOf(basic + secret(good))));
  expect(told(on)).toEqual([]);
  await on.apply(documentsOf(basic));
  await on.apply(documentsOf(basic + secret('alice:canary')));
  await on.apply(documentsOf(basic + secret(good)));
  expect(told(on)).toEqual([
    `${cannot} the Secret shop/s has no key users, or is not there`,
    `${cannot} the key users of the Secret shop/s: no user of it could log in: not used: line 1 (neither a bcrypt, an argon2 nor a scrypt hash)`,
    mended,
  ]);
});

test('a selector that takes no Secret is told', async () => {
  const keys = provider(
    '{type: APIKey, apiKey: {from: [{header: x-api-key}], secretSelector: {matchLabels: {client: "1"}}}}',
  );
  const on = (stand = await createDecisionStand(documentsOf(keys)));
  const none = 'the selector takes no Secret of the namespace shop (client=1)';
  expect(on.engine.status().providers).toMatchObject([{ keys: 0, lastError: none }]);
  expect(told(on)).toEqual([`${cannot} ${none}`]);
});
