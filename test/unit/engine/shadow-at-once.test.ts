import { afterEach, expect, test } from 'vitest';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

const provider = `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "https://idp.example", audiences: [a]}}
---`;
const policy = (name: string, access: string, more = ''): string => `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ${name}, namespace: shop}
spec:
  hosts: [api.example.com]
  authentication: {providers: [{name: idp}]}
  rules: [{name: all, access: ${access}, matches: [{path: {type: PathPrefix, value: /}}]}]
  ${more}
---`;

async function startWith(text: string): Promise<DecisionStand> {
  stand = await createDecisionStand(documentsOf(provider + text), {
    issuers: { idp: {} },
    tokens: { alice: { issuer: 'idp', claims: { sub: 'alice' } } },
  });
  return stand;
}

/** A token of a key that nobody knows yet: who judges it has to ask for keys. */
function ofUnknownKey(token: string): string {
  const [head = '', ...rest] = token.split('.');
  const header: object = JSON.parse(Buffer.from(head, 'base64url').toString());
  return [Buffer.from(JSON.stringify({ ...header, kid: 'unknown' })).toString('base64url'), ...rest].join('.');
}

test('S9 a decision that is there at once stays so beside a policy in shadow mode that decides at once', async () => {
  const { engine } = await startWith(policy('open', 'Public') + policy('other', 'Denied', 'mode: Shadow'));
  const decision = engine.check(rawRequest({}));
  expect(decision).not.toBeInstanceOf(Promise);
  expect(await decision).toMatchObject({
    kind: 'allow',
    about: { shadow: [{ policy: 'shop/other', rule: 'all', code: 'denied' }] },
  });
});

test('S9 it waits for a shadow that waits, but not where it may not wait: then that verdict alone is missing', async () => {
  const { engine, mint } = await startWith(
    policy('open', 'Public') +
      policy('other', 'Authenticated', 'mode: Shadow') +
      policy('third', 'Denied', 'mode: Shadow'),
  );
  const request = rawRequest({ token: ofUnknownKey(await mint.mint('alice')) });
  const hurried = engine.check(request, false);
  expect(hurried).not.toBeInstanceOf(Promise);
  const verdicts = (other: string): object => ({
    kind: 'allow',
    about: {
      shadow: [
        { policy: 'shop/other', code: other },
        { policy: 'shop/third', code: 'denied' },
      ],
    },
  });
  expect(await hurried).toMatchObject(verdicts('deadline_exceeded'));
  const waiting = engine.check(rawRequest({ token: ofUnknownKey(await mint.mint('alice')) }), true);
  expect(await waiting).toMatchObject(verdicts('token_key'));
});
