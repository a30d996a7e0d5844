import { afterEach, describe, expect, test } from 'vitest';
import type { ExpressionPlace } from '../../../src/core/ports.ts';
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

const policy = (rules: string, more = '', name = 'p'): string => `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ${name}, namespace: shop}
spec: {hosts: [api.example.com], authentication: {providers: [{name: idp}]}, rules: [${rules}]${more}}
---`;

const matches = 'matches: [{path: {type: PathPrefix, value: /}}]';
const open = `{name: open, ${matches}, access: Public}`;
const asking = (authorization: string): string =>
  `{name: asking, ${matches}, access: Restricted, authorization: ${authorization}}`;
const denying = (expression: string): string =>
  `{name: denying, ${matches}, access: Denied, when: [{expression: '${expression}'}]}`;
const sending = (expression: string): string =>
  `{name: sending, ${matches}, access: Authenticated, upstream: {headers: [{name: x-a, expression: '${expression}'}]}}`;

/** What alice's request is answered, and which expressions failed on the way. */
async function outcome(yaml: string): Promise<readonly [code: string, failures: readonly ExpressionPlace[]]> {
  stand = await createDecisionStand(documentsOf(provider + yaml), {
    issuers: { idp: {} },
    tokens: { alice: { issuer: 'idp', claims: { sub: 'alice' } } },
  });
  const token = await stand.mint.mint('alice');
  const decision = await stand.engine.check(rawRequest({ token }));
  return [decision.kind === 'allow' ? 'ok' : decision.denial.code, stand.expressionFailures];
}

describe('S24 an expression without a value is told of', () => {
  test.each([
    ['but not where nobody waits for the decision, which finds no headers then', true, []],
    ['the control: where somebody does', false, ['denied_rule']],
  ])('%s', async (_title, isLetGo, failures) => {
    stand = await createDecisionStand(
      documentsOf(provider + policy(`${open}, ${denying('request.headers["x-a"] == "1"')}`)),
    );
    const raw = rawRequest({});
    await stand.engine.check({ ...raw, headers: Object.assign(raw.headers, { isLetGo }) });
    expect(stand.expressionFailures).toEqual(failures);
  });

  test.each<[string, string, string, ExpressionPlace]>([
    ['a condition', policy(asking('{when: [{expression: identity.claims.a == 1}]}')), 'condition_error', 'condition'],
    [
      'a condition of one block where another one permits',
      policy(
        asking('{anyOf: [{when: [{expression: identity.claims.a == 1}]}, {claims: [{claim: sub, in: [alice]}]}]}'),
      ),
      'ok',
      'condition',
    ],
    [
      'a Denied rule, where it counts as a match',
      policy(`${open}, ${denying('request.headers["x-a"] == "1"')}`),
      'denied',
      'denied_rule',
    ],
    ['a header', policy(sending('"t-" + identity.claims.tenant')), 'header_failed', 'header'],
    [
      'a policy in shadow mode, which changes no answer',
      policy(open) + policy(denying('request.headers["x-a"] == "1"'), ', mode: Shadow', 'q'),
      'ok',
      'denied_rule',
    ],
  ])('of %s', async (_title, yaml, code, place) => {
    expect(await outcome(yaml)).toEqual([code, [place]]);
  });

  test.each([
    [
      'a condition that is false',
      policy(asking('{when: [{expression: identity.subject == "bob"}]}')),
      'condition_failed',
    ],
    ['a Denied rule that hits', policy(`${open}, ${denying('request.method == "GET"')}`), 'denied'],
    ['a Denied rule that does not', policy(`${open}, ${denying('request.method == "PUT"')}`), 'ok'],
    ['a header that is absent', policy(sending('identity.claims.tenant')), 'ok'],
    ['a header that cannot be sent', policy(sending('["a,b"]')), 'header_unsafe'],
  ])('not of %s', async (_title, yaml, code) => {
    expect(await outcome(yaml)).toEqual([code, []]);
  });
});
