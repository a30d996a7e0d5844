import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

/** All documents of the page, Secrets too, in force. */
async function follow(page: string, change = (text: string): string => text): Promise<DecisionStand> {
  const blocks = [...readFileSync(page, 'utf8').matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
  stand = await createDecisionStand(documentsOf(change(blocks.join('---\n'))));
  expect(stand.engine.status().documents.filter(({ accepted }) => !accepted)).toEqual([]);
  return stand;
}

async function ask(
  on: DecisionStand,
  host: string,
  method: string,
  path: string,
  headers: readonly (readonly [string, string])[],
): Promise<readonly unknown[]> {
  const decision = await on.engine.check(rawRequest({ host, method, path, headers }));
  return decision.kind === 'allow'
    ? ['allow', ...decision.upstream.setHeaders.map(([, value]) => value)]
    : [decision.denial.code];
}

describe('docs/api-keys.md', () => {
  const key = 'acme-key-for-the-guide-0123456789';
  const send = (on: DecisionStand, method: string, presented: string): Promise<readonly unknown[]> =>
    ask(on, 'api.shop.example', method, '/orders', [['x-api-key', presented]]);

  test('its client reads and writes, and others do not', async () => {
    const on = await follow('docs/api-keys.md');
    expect(await send(on, 'GET', key)).toEqual(['allow', 'acme']);
    expect(await send(on, 'POST', key)).toEqual(['allow', 'acme']);
    expect(await send(on, 'GET', key.slice(1))).toEqual(['credential_unknown']);
    expect(await ask(on, 'api.shop.example', 'GET', '/orders', [])).toEqual(['credential_missing']);
    const two = [
      ['x-api-key', key],
      ['x-api-key', key],
    ] as const;
    expect(await ask(on, 'api.shop.example', 'GET', '/orders', two)).toEqual(['header_duplicated']);
  });

  test('its key ends when the guide says', async () => {
    const on = await follow('docs/api-keys.md');
    on.clock.set(Date.parse('2027-01-31T00:00:00Z') - 1);
    expect(await send(on, 'GET', key)).toEqual(['allow', 'acme']);
    on.clock.set(Date.parse('2027-01-31T00:00:00Z'));
    expect(await send(on, 'GET', key)).toEqual(['token_expired']);
  });

  test('has the status of a Secret that is refused word by word', async () => {
    const page = readFileSync('docs/api-keys.md', 'utf8');
    const on = await follow('docs/api-keys.md');
    const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text).join('---\n');
    const bad = `apiVersion: v1
kind: Secret
metadata: {name: globex, namespace: shop, labels: {portcullis.dev/api-key: "true"}}
stringData: {api-key: secret}
`;
    await on.apply(documentsOf(`${blocks}---\n${bad}`));
    const [provider] = on.engine.status().providers;
    expect(page).toContain(`"lastError":"${provider?.lastError ?? ''}"`);
    expect(provider).toMatchObject({ keys: 1 });
    expect(await send(on, 'GET', key)).toEqual(['allow', 'acme']);
  });
});

test('docs/hmac-tokens.md: its partner is known by the secret of the guide alone, with the roles of its Secret', async () => {
  const on = await follow('docs/hmac-tokens.md');
  const exp = on.clock.now() / 1000 + 60;
  const sign = (claims: object, secret: string): readonly (readonly [string, string])[] => {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
    return [['authorization', `Bearer ${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`]];
  };
  const secret = '9f2b6c7d1e5a4830b1c2d3e4f5061728';
  const answers = [
    sign({ iss: 'acme', exp, roles: [] }, secret),
    sign({ iss: 'acme', exp, roles: ['supplier'] }, `${secret}!`),
    sign({ iss: 'globex', exp }, secret),
    sign({ iss: 'acme' }, secret),
  ].map((headers) => ask(on, 'partners.shop.example', 'GET', '/stock', headers));
  expect(await Promise.all(answers)).toEqual([['allow', 'acme'], ['token_signature'], ['token_key'], ['token_claim']]);
});

describe('docs/hmac-tokens.md: the token that it makes', () => {
  const page = readFileSync('docs/hmac-tokens.md', 'utf8');
  const [, secret = '', script = ''] = /^SECRET=(\S+) node -e '\n(.*?)^' > token\.txt$/ms.exec(page) ?? [];
  const make = (code: string, env: Readonly<Record<string, string>>): readonly (readonly [string, string])[] => {
    const token = execFileSync(process.execPath, ['-e', code], { env, encoding: 'utf8' }).trim();
    return [['authorization', `Bearer ${token}`]];
  };
  const stock = async (on: DecisionStand, code: string, signedWith = secret): Promise<readonly unknown[]> => {
    on.clock.set(Date.now());
    return ask(on, 'partners.shop.example', 'GET', '/stock', make(code, { SECRET: signedWith }));
  };

  test('is taken with the secret of the guide, and with no other', async () => {
    const on = await follow('docs/hmac-tokens.md');
    expect(await stock(on, script)).toEqual(['allow', 'acme']);
    expect(await stock(on, script, `${secret}!`)).toEqual(['token_signature']);
  });

  test('is refused with HS512 unless the provider names that', async () => {
    const long = '0123456789abcdef'.repeat(4);
    const longer = script.replace('"HS256"', '"HS512"').replace('"sha256"', '"sha512"');
    expect(await stock(await follow('docs/hmac-tokens.md'), longer, long)).toEqual(['token_algorithm']);
    stand?.close();
    const [, algorithms = ''] = /`(algorithms: \[HS256, HS512\])`/.exec(page) ?? [];
    const on = await follow('docs/hmac-tokens.md', (text) =>
      text.replace(secret, long).replace('    keyClaim: iss\n', `    keyClaim: iss\n    ${algorithms}\n`),
    );
    expect(await stock(on, longer, long)).toEqual(['allow', 'acme']);
    expect(await stock(on, script, long)).toEqual(['allow', 'acme']);
  });
});
