import { expect, test } from 'vitest';
import { createDecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';

const policy = (name: string, host: string, mode: string): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {hosts: ["${host}"], mode: ${mode}, rules: [{name: a, access: Public, matches: [{}], upstream: {credential: Keep}}]}\n`;

test('S9 the status warns when a wider policy decides instead of one in shadow mode, once, and no longer than it does', async () => {
  const shadow = policy('near', 'api.example.com', 'Shadow').replace('[{}]', '[{methods: [GET]}]');
  const documents = documentsOf(
    `${shadow}---\n${policy('wide', '*.example.com', 'Enforce').replace('[{}]', '[{methods: [GET]}]')}`,
    'a.yaml',
  );
  const stand = await createDecisionStand(documents);
  const codes = (): readonly (readonly string[])[] =>
    stand.engine.status().documents.map(({ problems }) => problems.map(({ code }) => code));
  const kept = 'public-keeps-credential';
  expect(codes()).toEqual([[kept, 'shadow-wider-decides'], [kept]]);
  await stand.apply([], ['a.yaml']);
  expect(codes()).toEqual([[kept, 'shadow-wider-decides'], [kept]]);
  await stand.apply(documents.slice(0, 1));
  expect(codes()).toEqual([[kept]]);
  stand.close();
});
