import { afterEach, describe, expect, test } from 'vitest';
import type { Deny } from '../../../src/core/decision.ts';
import { createCheckResponseEncoder } from '../../../src/envoy/encode-check-response.ts';
import { codecOf } from '../../../src/envoy/protos.ts';
import { readYaml } from '../../../src/files/read-yaml.ts';
import { parseDocument } from '../../../src/policy/parse-document.ts';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { rawRequest } from '../../support/raw-request.ts';

const provider = (name: string, jwt = ''): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: ${name}, namespace: shop}
spec: {type: JWT, jwt: {issuer: "https://${name}.example", audiences: [api]${jwt}}}
---`;
const policy = (metadata: string, providers = '{name: idp}'): string => `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: api, namespace: shop}
spec:
  hosts: [api.example.com]
  authentication: {providers: [${providers}], resourceMetadata: ${metadata}}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]
  response: {headers: [{name: x-policy, value: ours}], unauthenticated: {status: 404}}
`;

let stand: DecisionStand;
afterEach(() => stand?.close());

async function answerOf(text: string, path = '/.well-known/oauth-protected-resource'): Promise<Deny> {
  stand = await createDecisionStand(readYaml(text, 'test.yaml'));
  const decision = await stand.engine.check(rawRequest({ host: 'api.example.com', path, peer: '127.0.0.1' }));
  if (decision.kind !== 'deny') throw new Error('it was allowed');
  return decision;
}

const algs = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

describe('the metadata of a protected resource (RFC 9728)', () => {
  test('name what the policy takes, whatever dresses its denials', async () => {
    const answer = await answerOf(provider('idp') + policy('{resource: "https://api.example.com"}'));
    expect([answer.denial.code, answer.status, answer.responseHeaders]).toEqual([
      'resource_metadata',
      200,
      [
        ['access-control-allow-origin', '*'],
        ['cache-control', 'public, max-age=300'],
      ],
    ]);
    expect(answer.body?.contentType).toBe('application/json');
    expect(JSON.parse(answer.body?.text ?? '')).toEqual({
      resource: 'https://api.example.com',
      authorization_servers: ['https://idp.example'],
      bearer_methods_supported: ['header'],
      dpop_signing_alg_values_supported: algs,
    });
  });

  test('are for the proxy a denial whose answer has status 200', async () => {
    const answer = await answerOf(provider('idp') + policy('{resource: "https://api.example.com"}'));
    const bytes = createCheckResponseEncoder().deny(answer);
    expect(codecOf('envoy.service.auth.v3.CheckResponse').decode(bytes)).toMatchObject({
      status: { code: 7 },
      deniedResponse: { status: { code: 200 } },
    });
    // And nothing else may have that status.
    const forged: Deny = { ...answer, denial: { ...answer.denial, code: 'denied' } };
    expect(() => createCheckResponseEncoder().deny(forged)).toThrow(/status/);
  });

  test('say what the author says, and the issuers of every provider', async () => {
    const documents =
      provider('idp', ', binding: {dpop: Required, certificate: Required}') +
      provider(
        'two',
        ', from: [{header: authorization, scheme: Bearer}, {query: access_token}], binding: {dpop: Required}',
      ) +
      policy(
        '{resource: "https://api.example.com:8443/a/b", scopes: [read, "write:all"], documentation: "https://docs.example/"}',
        '{name: idp}, {name: two}',
      );
    const answer = await answerOf(documents, '/.well-known/oauth-protected-resource/a/b');
    expect(JSON.parse(answer.body?.text ?? '')).toEqual({
      resource: 'https://api.example.com:8443/a/b',
      authorization_servers: ['https://idp.example', 'https://two.example'],
      scopes_supported: ['read', 'write:all'],
      bearer_methods_supported: ['header', 'query'],
      resource_documentation: 'https://docs.example/',
      dpop_signing_alg_values_supported: algs,
      dpop_bound_access_tokens_required: true,
      tls_client_certificate_bound_access_tokens: true,
    });
  });

  test('name the servers that the author names, and nothing of DPoP where it is ignored', async () => {
    const answer = await answerOf(
      provider('idp', ', from: [{cookie: t}], binding: {dpop: Ignore}') +
        policy('{resource: "https://api.example.com/", authorizationServers: ["https://login.example/t"]}'),
    );
    expect(JSON.parse(answer.body?.text ?? '')).toEqual({
      resource: 'https://api.example.com/',
      authorization_servers: ['https://login.example/t'],
    });
  });

  test('change with the provider', async () => {
    await answerOf(provider('idp') + policy('{resource: "https://api.example.com"}'));
    const changed = provider('idp').replace('https://idp.example', 'https://new.example');
    await stand.apply(readYaml(changed + policy('{resource: "https://api.example.com"}'), 'test.yaml'));
    const path = '/.well-known/oauth-protected-resource';
    const decision = await stand.engine.check(rawRequest({ host: 'api.example.com', path, peer: '127.0.0.1' }));
    expect(decision.kind === 'deny' && decision.body?.text).toContain('["https://new.example"]');
  });

  test.each([
    '{resource: "http://api.example.com"}',
    '{resource: api.example.com}',
    '{resource: "https://api.example.com?a=b"}',
    '{resource: "https://api.example.com#a"}',
    '{resource: "https://user@api.example.com"}',
    '{resource: "https://other.example.com"}',
    '{resource: "https://api.example.com//a"}',
    '{resource: "https://api.example.com/../a"}',
    '{resource: "https://api.example.com/%61"}',
    '{resource: "https://api.example.com/a%2Fb"}',
    '{resource: "https://api.example.com", authorizationServers: [idp]}',
    '{resource: "https://api.example.com", authorizationServers: ["https://idp.example?x"]}',
    '{resource: "https://api.example.com", scopes: ["a b"]}',
    '{resource: "https://api.example.com", documentation: docs}',
  ])('%s is refused', (metadata) => {
    const [document] = readYaml(policy(metadata), 'test.yaml');
    if (document === undefined) throw new Error('no document');
    const parsed = parseDocument(document, { serviceNamespace: 'portcullis' });
    expect(parsed.problems.map(({ code }) => code)).toContain('invalid-value');
    const good = readYaml(policy('{resource: "https://api.example.com:8443/a"}'), 'test.yaml')[0];
    expect(good && parseDocument(good, { serviceNamespace: 'portcullis' }).kind).toBe('accepted');
  });
});
