import { afterAll, beforeAll, describe, test } from 'vitest';
import type { RawRequest } from '../../../src/core/request.ts';
import { createCheckRequestDecoder } from '../../../src/envoy/decode-check-request.ts';
import { codecOf } from '../../../src/envoy/protos.ts';
import { asEnvoySends } from '../../support/client-certificates.ts';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { expectDecision } from '../../support/expect-decision.ts';
import type { DecisionCase } from '../../../src/policy-test/policy-test.ts';
import { readPolicyTests } from '../../support/policy-tests.ts';
import { rawRequest } from '../../support/raw-request.ts';

/** The same cases run over gRPC and through a real Envoy in test/integration. */
for (const policyTest of readPolicyTests()) {
  describe(policyTest.name, () => {
    let stand: DecisionStand;
    beforeAll(async () => {
      stand = await createDecisionStand(policyTest.documents, { ...policyTest.options, ...policyTest });
    });
    afterAll(() => stand.close());
    for (const one of policyTest.cases) {
      test(one.name, async () => {
        const raw = await toRawRequest(one, stand);
        expectDecision(await stand.engine.check(raw), one.expect);
        // A second time, out of every cache.
        expectDecision(await stand.engine.check(raw), one.expect);
      });
    }
  });
}

async function toRawRequest(one: DecisionCase, stand: DecisionStand): Promise<RawRequest> {
  if (one.request !== undefined) {
    const token = one.token === undefined ? undefined : await stand.mint.mint(one.token);
    const { method, host, path, headers, clientIp, contextExtensions = {}, route, peer } = one.request;
    const { principal = '', certificate = '' } = peer ?? {};
    const shown = { principal, certificate: asEnvoySends(certificate) };
    const sent = { method, host, path, headers, token, contextExtensions, route, ...shown };
    return rawRequest({ ...sent, peer: clientIp ?? '127.0.0.1' });
  }
  const bytes = codecOf('envoy.service.auth.v3.CheckRequest').encode(one.check ?? {});
  const decoded = createCheckRequestDecoder().decode(bytes);
  if (decoded.kind === 'undecodable') throw new Error(decoded.why);
  return decoded.request;
}
