import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { explain } from '../../../src/runtime/explain.ts';

const page = readFileSync('docs/policies.md', 'utf8');
const documents = [...page.matchAll(/```yaml\n(apiVersion.*?)```/gs)].map(([, text]) => text).join('---\n');
const section = page.slice(page.indexOf('## Conditions'), page.indexOf('## Which rule decides'));
const rows = [
  ...section.matchAll(
    /^\| `GET (?<target>\S+)` with(?:out)? `x-tenant(?:: (?<tenant>\w+))?` \| `(?<claims>.*?)` \| (?<answer>.*) \|$/gm,
  ),
].map(({ groups = {} }) => groups);

async function answer({ target = '', tenant, claims = '' }: Record<string, string | undefined>): Promise<string> {
  const request = {
    method: 'GET',
    scheme: 'http',
    host: 'tenants.example.com',
    target,
    headers: tenant === undefined ? [] : ([['x-tenant', tenant]] as const),
    form: 'joined',
    clientAddress: '127.0.0.1',
    contextExtensions: {},
    route: undefined,
  } as const;
  const asked = { policies: ['-'], request, trustedHops: 0, jwks: undefined, provider: 'shop/okta', showValues: false };
  const { decision } = await explain({ ...asked, claims: JSON.parse(claims) as JsonObject }, () =>
    Promise.resolve(documents),
  );
  return decision.decision === 'allow' ? 'allowed' : `${decision.status} \`${decision.code}\`: ${decision.message}`;
}

describe('the conditions of docs/policies.md', () => {
  test('have five rows', () => expect(rows).toHaveLength(5));

  test.each(rows)('GET $target with x-tenant $tenant and $claims: $answer', async (row) => {
    expect(await answer(row)).toBe(row['answer']);
  });
});
