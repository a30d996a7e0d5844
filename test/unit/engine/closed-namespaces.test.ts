import { afterEach, describe, expect, test } from 'vitest';
import { clusterDocuments } from '../../support/cluster-document.ts';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { rawRequest } from '../../support/raw-request.ts';

let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

const policy = (id: string, spec: string): string => {
  const [namespace = '', name = ''] = id.split('/');
  const rules = 'rules: [{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public}]';
  const metadata = `metadata: {name: ${name}, namespace: ${namespace}}`;
  return `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\n${metadata}\nspec: {${spec}, ${rules}}\n`;
};
const documents = [
  policy('shop/wide', "hosts: ['*.shop.example']"),
  policy('shop/named', 'attachment: Named'),
  policy('team-b/b', 'hosts: [b.example]'),
  policy('team-b/named', 'attachment: Named'),
].join('---\n');

async function codeOf({ engine }: DecisionStand, host: string, named?: string): Promise<string> {
  const contextExtensions = named === undefined ? [] : [['portcullis.dev/policy', named] as const];
  const decision = await engine.check({ ...rawRequest({ host }), contextExtensions: new Map(contextExtensions) });
  return decision.kind === 'allow' ? decision.about.policy : `${decision.denial.code} ${decision.about.policy}`;
}

describe('S7: a namespace of which hostnames of routes are not known', () => {
  test.each([
    ['without grants', {}],
    ['with grants', { hostGrants: { shop: ['*.shop.example'], 'team-b': ['b.example'] } }],
  ])('closes its own hosts and what names its policies, and nobody else’s: %s', async (_title, options) => {
    stand = await createDecisionStand([], options);
    const on = stand;
    await on.engine.applyChange({ changed: clusterDocuments(documents), removed: [] });
    const all = (): Promise<readonly string[]> =>
      Promise.all([
        codeOf(on, 'x.shop.example'),
        codeOf(on, 'nobody.example', 'shop/named'),
        codeOf(on, 'b.example'),
        codeOf(on, 'nobody.example', 'team-b/named'),
      ]);
    const open = ['shop/wide', 'shop/named', 'team-b/b', 'team-b/named'];
    expect(await all()).toEqual(open);
    on.engine.closeUnrouted(new Set(['shop']));
    const closed = ['route_unknown shop/wide', 'route_unknown shop/named', 'team-b/b', 'team-b/named'];
    expect(await all()).toEqual(closed);
    on.engine.closeUnrouted(new Set());
    expect(await all()).toEqual(open);
  });
});
