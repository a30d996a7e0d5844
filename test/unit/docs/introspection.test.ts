import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpRequest, HttpResponse } from '../../../src/core/ports.ts';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { introspection } from '../../../src/policy/schema/introspection-provider.ts';
import { random, realTimers } from '../../support/decision-stand.ts';
import { inlinePasswords } from '../../support/inline-passwords.ts';
import { noEvents, noNetwork } from '../../support/networks.ts';
import { rawRequest } from '../../support/raw-request.ts';

const page = readFileSync('docs/introspection.md', 'utf8');
const documents = readDocuments('introspection.md', /```yaml\n(apiVersion.*?)```/s.exec(page)?.[1] ?? '');

/** What the issuer of the page knows. */
const tokens: Readonly<Record<string, object>> = {
  reader: { scope: 'orders:read' },
  writer: { scope: 'orders:write' },
  admin: { realm_access: { roles: ['orders-admin'] } },
  refresh: { scope: 'orders:read', token_type: 'Refresh' },
  elsewhere: { scope: 'orders:read', aud: 'api://billing' },
  nowhere: { scope: 'orders:read', aud: undefined },
};

let outage = false;
const asked: string[] = [];

function issuer(url: string, { headers, body }: HttpRequest): HttpResponse {
  const token = new URLSearchParams(body).get('token') ?? '';
  asked.push(`${url} ${Buffer.from(headers['authorization']?.slice(6) ?? '', 'base64').toString()} ${token}`);
  const known = tokens[token];
  const common = { active: true, iss: 'https://idp.example.com', aud: 'api://orders', sub: 'alice' };
  const answer = known === undefined ? { active: false } : { ...common, ...known };
  return { status: outage ? 502 : 200, contentType: 'application/json', body: Buffer.from(JSON.stringify(answer)) };
}

let engine: Engine;
beforeAll(async () => {
  const nothing = (): void => undefined;
  engine = createEngine(
    {
      trustedHops: 0,
      maxHeaders: 100,
      serviceNamespace: 'portcullis',
      hostGrants: undefined,
      ownedHeaders: [],
      keyLoadTimeoutMs: 1000,
      shadowAll: false,
      identity: {},
    },
    {
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      timers: realTimers,
      random,
      logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      http: { ...noNetwork, send: (url, request) => Promise.resolve(issuer(url, request)) },
      passwords: inlinePasswords,
      events: noEvents,
    },
  );
  await engine.apply({ documents, problems: [], unreadable: new Set() });
});
afterAll(() => engine.close());

async function codeOf(path: string, token: string | undefined): Promise<string> {
  const decision = await engine.check(rawRequest({ path, token }));
  return decision.kind === 'allow' ? 'allow' : decision.denial.code;
}

describe('the provider of docs/introspection.md', () => {
  test.each([
    ['/orders', 'reader', 'allow'],
    ['/orders', 'writer', 'insufficient_scope'],
    ['/admin', 'admin', 'allow'],
    ['/admin', 'reader', 'role_missing'],
    ['/orders', 'made-up', 'token_inactive'],
    ['/orders', 'refresh', 'token_type'],
    ['/orders', 'elsewhere', 'token_audience'],
    ['/orders', 'nowhere', 'token_audience'],
    ['/orders', undefined, 'credential_missing'],
  ])('GET %s with the token %s: %s', async (path, token, code) => {
    expect(await codeOf(path, token)).toBe(code);
  });

  test('asks at its endpoint as its client, and in an outage denies what is not remembered', async () => {
    expect(asked[0]).toBe('https://idp.example.com/oauth2/introspect portcullis:change-me reader');
    outage = true;
    expect([await codeOf('/orders', 'reader'), await codeOf('/orders', 'new')]).toEqual([
      'allow',
      'introspection_unavailable',
    ]);
  });
});

test('the page tells every field, and of clientAuthentication every method', () => {
  const told = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  const methods = introspection.properties?.['clientAuthentication']?.properties?.['method']?.enum ?? [];
  expect(told).toEqual(expect.arrayContaining([...Object.keys(introspection.properties ?? {}), ...methods]));
  expect(methods).toHaveLength(3);
});
