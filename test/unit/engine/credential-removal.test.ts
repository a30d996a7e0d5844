import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { readPolicyTests } from '../../support/policy-tests.ts';
import { rawRequest } from '../../support/raw-request.ts';

/** What must stay, beside test/decisions/credential-removal.yaml, whose cases say what must go. */
describe('credential-removal', () => {
  let stand: DecisionStand;
  beforeAll(async () => {
    const cases = readPolicyTests().find(({ name }) => name === 'credential-removal');
    if (cases === undefined) throw new Error('there are no cases of that name');
    stand = await createDecisionStand(cases.documents, { ...cases.options, ...cases });
  });
  afterAll(() => stand.close());

  const upstreamOf = async (host: string, path: string, headers: readonly (readonly [string, string])[]) => {
    const token = await stand.mint.mint('user');
    const decision = await stand.engine.check(rawRequest({ host, path, headers, token, peer: '127.0.0.1' }));
    if (decision.kind === 'deny') throw new Error(decision.denial.code);
    return decision.upstream;
  };
  const always = 'x-envoy-auth-failure-mode-allowed';

  test('S26 Keep passes the credential though a policy owns its header', async () => {
    expect(await upstreamOf('keep.example.com', '/optional', [])).toEqual({
      setHeaders: [['x-kept', 'true']],
      removeHeaders: ['x_kept', always, always.replaceAll('-', '_')],
      removeQueryParameters: [],
    });
  });

  test('S26 what says that the proxy failed open goes in every spelling, and what only begins like it stays', async () => {
    const odd = 'x-envoy_auth-failure_mode-allowed';
    const { removeHeaders } = await upstreamOf('keep.example.com', '/optional', [
      [odd, 'true'],
      [`${odd}_no`, 'true'],
    ]);
    expect(removeHeaders).toEqual(['x_kept', always, always.replaceAll('-', '_'), odd]);
  });

  test('S27 Keep of the deciding rule outlasts the removal of another policy', async () => {
    expect((await upstreamOf('two.example.com', '/kept', [])).removeHeaders).not.toContain('authorization');
  });

  test('S27 cookies and parameters that nobody takes for a credential stay', async () => {
    const upstream = await upstreamOf('two.example.com', '/both?access_token=y&a=1', [['cookie', 'a=1; session=x']]);
    expect(upstream.setHeaders).toEqual([['cookie', 'a=1']]);
    expect(upstream.removeQueryParameters).toEqual(['access_token']);
    const untouched = await upstreamOf('two.example.com', '/both', [['cookie', 'theme=dark']]);
    expect([untouched.setHeaders, untouched.removeHeaders.includes('cookie')]).toEqual([[], false]);
  });
});
