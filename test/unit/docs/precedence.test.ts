import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import type { TokenSpec } from '../../../src/policy-test/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

const [head = '', ...examples] = readFileSync('docs/precedence.md', 'utf8').split(/^## /m);

/** The rows of the only table of a part of the page, by the names of its columns, without the marks of code. */
function rowsOf(part: string): readonly ReadonlyMap<string, string>[] {
  const [names = [], , ...rows] = part
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
  return rows.map((cells) => new Map(names.map((name, index) => [name, cells[index] ?? ''])));
}

function yamlOf(part: string): string {
  return [...part.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text).join('---\n');
}

const words = (cell: string | undefined): string[] => (cell ?? '').split(/[ ,]+/).filter((word) => word !== '');

const tokens = Object.fromEntries(
  rowsOf(head).map((row): [string, TokenSpec] => {
    const name = row.get('who') ?? '';
    return [
      name,
      { issuer: 'okta', claims: { sub: name, scope: row.get('scopes') ?? '', groups: words(row.get('roles')) } },
    ];
  }),
);

test('docs/precedence.md has three examples', () => {
  expect([examples.length, examples.every((example) => rowsOf(example).length >= 6)]).toEqual([3, true]);
});

describe.each(examples.map((example) => [example.split('\n')[0] ?? '', example] as const))(
  'docs/precedence.md: %s',
  (_title, example) => {
    let stand: DecisionStand;
    beforeAll(async () => {
      stand = await createDecisionStand(documentsOf(`${yamlOf(head)}---\n${yamlOf(example)}`), {
        issuers: { okta: {} },
        tokens,
      });
    });
    afterAll(() => stand.close());

    const rows = rowsOf(example);
    test.each(rows.map((row) => [[...row.values()].slice(0, 4).join(' | '), row] as const))('%s', async (_row, row) => {
      const [, method = '', host = '', path = ''] = /^(\S+) ([^/]+)(\/\S*)$/.exec(row.get('request') ?? '') ?? [];
      const who = row.get('who') ?? '';
      const token = who === 'nobody' ? undefined : await stand.mint.mint(who);
      const decision = await stand.engine.check(
        rawRequest({ method, host, path, headers: [], token, peer: row.get('from') ?? '', contextExtensions: {} }),
      );
      const { policy, rule } = decision.about;
      const answer =
        decision.kind === 'allow' ? `allowed by ${policy}, ${rule}` : `${decision.status} ${decision.denial.code}`;
      expect(answer).toBe(row.get('answer'));
      if (decision.kind !== 'allow' || !row.has('removed')) return;
      expect(decision.upstream.setHeaders.map(([name, value]) => `${name}: ${value}`).join(', ')).toBe(
        row.get('set for the service'),
      );
      // Beside them, always: other spellings of these names, and what a proxy would say of us.
      const removed = decision.upstream.removeHeaders.filter((name) => !/_|^x-envoy-/.test(name));
      expect(removed.toSorted()).toEqual(words(row.get('removed')).toSorted());
    });
  },
);
