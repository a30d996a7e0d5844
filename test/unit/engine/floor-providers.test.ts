import { afterEach, describe, expect, test } from 'vitest';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

const document = (kind: string, metadata: string, spec: string): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: ${kind}\nmetadata: {${metadata}}\nspec: {${spec}}\n---\n`;
const jwt = (issuer: string): string => `type: JWT, jwt: {issuer: "https://${issuer}.example", audiences: [api]}`;
const matches = 'matches: [{path: {type: PathPrefix, value: /}}]';
const cluster = document('ClusterIdentityProvider', 'name: okta', jwt('cluster'));
const own = document('IdentityProvider', 'name: okta, namespace: shop', jwt('own'));
const policy = (ref: string): string =>
  document(
    'AccessPolicy',
    'name: a, namespace: shop',
    `hosts: [a.example], authentication: {providers: [${ref}]}, rules: [{name: r, ${matches}, access: Public}]`,
  );

describe('S8 the providers that a cluster policy names', () => {
  async function decide(provider: string, ref: string, authorization: string): Promise<string> {
    stand?.close();
    const floor = document(
      'ClusterAccessPolicy',
      'name: floor',
      `rules: [{name: f, ${matches}, access: Restricted, authorization: {${authorization}}}]`,
    );
    stand = await createDecisionStand(documentsOf(provider + policy(ref) + floor), {
      issuers: { okta: { alg: 'ES256' } },
      tokens: { user: { issuer: 'okta', claims: { sub: 'u' } } },
    });
    const token = await stand.mint.mint('user');
    const decision = await stand.engine.check(rawRequest({ host: 'a.example', token }));
    return decision.kind === 'allow' ? `allow ${decision.about.identity.provider}` : decision.denial.code;
  }
  const ofCluster = '{kind: ClusterIdentityProvider, name: okta}';

  test('are those of the cluster: one of a namespace with the same name is none of them', async () => {
    expect(await decide(own, '{name: okta}', 'providers: [okta]')).toBe('provider_not_allowed');
    expect(await decide(cluster, ofCluster, 'providers: [okta]')).toBe('allow okta');
  });

  test('are told apart in conditions too', async () => {
    const when = (name: string): string => `when: [{expression: "identity.provider == '${name}'"}]`;
    expect(await decide(own, '{name: okta}', when('okta'))).toBe('condition_failed');
    expect(await decide(own, '{name: okta}', when('shop/okta'))).toBe('allow okta');
    expect(await decide(cluster, ofCluster, when('okta'))).toBe('allow okta');
  });
});
