import { expect, test } from 'vitest';
import { createDecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

const secret = 'Bearer eyJ.canary.sig';

test('a decision that fails is denied, and the log says where and nothing of what the error quotes', async () => {
  const stand = await createDecisionStand(documentsOf(''));
  const raw = {
    ...rawRequest({}),
    get target(): string {
      throw new SyntaxError(`Unexpected token in ${secret}`);
    },
  };
  const decision = await stand.engine.check(raw);
  expect(decision).toMatchObject({ kind: 'deny', status: 503, denial: { code: 'internal_error' } });
  const line = stand.log.at(-1);
  expect(line).toMatchObject({
    level: 'error',
    fields: { id: decision.about.id, error: 'SyntaxError' },
    message: 'a decision failed and the request is denied',
  });
  expect(JSON.stringify(stand.log)).not.toContain('canary');
  stand.close();
});
