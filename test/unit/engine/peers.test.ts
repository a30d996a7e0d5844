import { afterEach, describe, expect, test } from 'vitest';
import { formatProblem } from '../../../src/core/problem.ts';
import { asEnvoySends, createClientAuthority } from '../../support/client-certificates.ts';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest, type RawRequestParts } from '../../support/raw-request.ts';

let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

const now = Date.parse('2026-06-01T12:00:00Z');
const root = createClientAuthority(now);
const principal = 'spiffe://cluster.local/ns/shop/sa/web';
const document = (kind: string, name: string, spec: string): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: ${name}, namespace: shop}\nspec: {${spec}}\n---\n`;
const idp = document('IdentityProvider', 'idp', 'type: JWT, jwt: {issuer: "https://idp.example", audiences: [api]}');
const mesh = (part = 'source: ValidatedPrincipal'): string =>
  document('IdentityProvider', 'mesh', `type: ClientCertificate, clientCertificate: {${part}}`);
const rule = (access: string): string =>
  `rules: [{name: r, matches: [{path: {type: PathPrefix, value: /}}], access: ${access}}]`;
const policy = (authentication: string, access = 'Authenticated', more = ''): string =>
  document('AccessPolicy', 'a', `hosts: [a.example], authentication: {${authentication}}, ${rule(access)}${more}`);
const both = 'providers: [{name: idp}], peer: {name: mesh}';
const alone = 'peer: {name: mesh}';

async function start(text: string): Promise<DecisionStand> {
  stand?.close();
  stand = await createDecisionStand(documentsOf(text), {
    issuers: { idp: { alg: 'ES256' } },
    tokens: { user: { issuer: 'idp', claims: { sub: 'u' } } },
  });
  return stand;
}

async function ask({ engine, mint }: DecisionStand, parts: RawRequestParts, isUser = true): Promise<string> {
  const token = isUser ? await mint.mint('user') : undefined;
  const decision = await engine.check(rawRequest({ host: 'a.example', token, ...parts }));
  return decision.kind === 'allow' ? 'allow' : decision.denial.code;
}

describe('the provider of a peer', () => {
  test.each(['Authenticated', 'Optional'])(
    'that is deleted while a policy names it: %s is denied as ours to mend',
    async (access) => {
      const running = await start(idp + mesh() + policy(both, access));
      expect(await ask(running, { principal })).toBe('allow');
      await running.apply(documentsOf(idp + policy(both, access)));
      expect(await ask(running, { principal })).toBe('provider_unavailable');
      expect(await ask(running, {})).toBe('provider_unavailable');
    },
  );

  test('that is deleted where it is the identity denies too', async () => {
    const running = await start(mesh() + policy(alone, 'Optional'));
    expect(await ask(running, {}, false)).toBe('allow');
    await running.apply(documentsOf(policy(alone, 'Optional')));
    expect(await ask(running, {}, false)).toBe('provider_unavailable');
  });

  test('that becomes one of another type judges nobody any more', async () => {
    const running = await start(idp + mesh() + policy(both));
    expect(await ask(running, { principal })).toBe('allow');
    const other = document(
      'IdentityProvider',
      'mesh',
      'type: JWT, jwt: {issuer: "https://other.example", audiences: [api]}',
    );
    await running.apply(documentsOf(idp + other + policy(both)));
    expect(await ask(running, { principal })).not.toBe('allow');
  });

  test('that asks for more is in force with the next request', async () => {
    const running = await start(idp + mesh() + policy(both));
    expect(await ask(running, { principal: 'CN=web' })).toBe('allow');
    await running.apply(
      documentsOf(idp + mesh('source: ValidatedPrincipal, spiffe: {trustDomains: [cluster.local]}') + policy(both)),
    );
    expect(await ask(running, { principal: 'CN=web' })).toBe('certificate_name');
    expect(await ask(running, { principal })).toBe('allow');
  });

  test('follows the ConfigMap of its authorities: what was good with others is forgotten', async () => {
    const configMap = (ca: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ca, namespace: shop}\ndata: {ca.crt: ${JSON.stringify(ca)}}\n---\n`;
    const provider = mesh('source: Certificate, caRef: {name: ca, key: ca.crt}');
    const certificate = asEnvoySends(root.issue({ uri: [principal] }).certificate);
    const running = await start(configMap(root.certificate) + provider + policy(alone));
    expect(await ask(running, { certificate }, false)).toBe('allow');
    const others = configMap(createClientAuthority(now).certificate);
    await running.apply(documentsOf(others + provider + policy(alone)));
    expect(await ask(running, { certificate }, false)).toBe('certificate_invalid');
    await running.apply(documentsOf(provider + policy(alone)));
    expect(await ask(running, { certificate }, false)).toBe('keys_unavailable');
  });
});

describe('which provider may be where', () => {
  test.each([
    ['a peer of another type', idp + policy('peer: {name: idp}'), 'spec.authentication.peer'],
    [
      'one for peers among the providers',
      idp + mesh() + policy('providers: [{name: mesh}]'),
      'spec.authentication.providers[0]',
    ],
    ['a peer that does not exist', idp + policy(both), 'spec.authentication.peer'],
  ])('%s is a problem of the policy, which denies', async (_title, text, field) => {
    const running = await start(text);
    const problems = running.engine.status().documents.flatMap((one) => one.problems);
    expect(problems.map((problem) => problem.field)).toContain(field);
    expect(problems.map(formatProblem).join('\n')).toMatch(/ClientCertificate|does not exist/);
    expect(await ask(running, { principal })).toBe('policy_invalid');
  });
});

describe('several rules of one request', () => {
  test('ask the peer once, and every one needs it', async () => {
    const second = document(
      'AccessPolicy',
      'b',
      `hosts: [a.example], authentication: {${alone}}, ${rule('Authenticated')}`,
    );
    const running = await start(idp + mesh() + policy(both) + second);
    expect(await ask(running, { principal })).toBe('allow');
    expect(await ask(running, { principal }, false)).toBe('credential_missing');
    expect(await ask(running, {})).toBe('credential_missing');
  });
});

test('a decision says who connected beside who called, and nothing twice', async () => {
  const running = await start(idp + mesh() + policy(both));
  const token = await running.mint.mint('user');
  const decided = await running.engine.check(rawRequest({ host: 'a.example', token, principal }));
  expect([decided.about.identity.subject, decided.about.peer?.subject]).toEqual(['u', principal]);
  const single = await start(mesh() + policy(alone));
  const other = await single.engine.check(rawRequest({ host: 'a.example', principal }));
  expect([other.about.identity.subject, other.about.peer]).toEqual([principal, undefined]);
});
