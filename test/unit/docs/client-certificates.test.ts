import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { rawRequest } from '../../support/raw-request.ts';

const page = readFileSync('docs/client-certificates.md', 'utf8');
const documents = [...page.matchAll(/```yaml\n(apiVersion.*?)```/gs)].map(([, text]) => text).join('---\n');
const rows = [
  ...page.matchAll(
    /^\| `(?<host>[^`]+)`, (?:peer `(?<peer>[^`]+)`|no peer), (?<token>a|no) token \| (?<answer>.*) \|$/gm,
  ),
].map(({ groups = {} }) => groups);

let stand: DecisionStand;

beforeAll(async () => {
  const read = readDocuments('page.yaml', documents);
  stand = await createDecisionStand(read, {
    issuers: { okta: {} },
    tokens: { user: { issuer: 'okta', claims: { sub: 'u' } } },
  });
  await stand.apply(read);
  return () => stand.close();
});

describe('the requests of docs/client-certificates.md', () => {
  test('are eight', () => expect(rows).toHaveLength(8));

  test.each(rows)(
    '$host with peer $peer and $token token: $answer',
    async ({ host = '', peer = '', token, answer }) => {
      const credential = token === 'a' ? await stand.mint.mint('user') : undefined;
      const decision = await stand.engine.check(rawRequest({ host, principal: peer, token: credential }));
      expect(decision.kind === 'allow' ? 'allowed' : `${decision.status} \`${decision.denial.code}\``).toBe(answer);
    },
  );
});
