import { expect, test } from 'vitest';
import { createDecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

const range = <T>(length: number, of: (index: number) => T): T[] => Array.from({ length }, (_, index) => of(index));

const policy = (name: string, rules: readonly string[]): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: {hosts: [a.example], rules: [${rules.join()}]}\n---\n`;
const open = policy('open', ['{name: open, access: Public, matches: [{methods: [GET]}]}']);

/** `rules` of 16 matches on one path, each about a header of its own: 32 to look at. */
const crowd = (name: string, access: string, path: string, rules: number): string => {
  const match = (of: string): string => `{path: ${path}, headers: [{name: x-a, value: "${of}"}]}`;
  return policy(
    name,
    range(rules, (rule) => {
      const matches = range(16, (index) => match(`${name}-${rule}-${index}`));
      return `{name: r${rule}, access: ${access}, matches: [${matches.join()}]}`;
    }),
  );
};
const crowds = (policies: number, access: string, path: string): string =>
  range(policies, (index) => crowd(`p${index}`, access, path, 60)).join('');

const ask = async (documents: string) => {
  const stand = await createDecisionStand(documentsOf(documents));
  const check = async (path: string, header = 'none') => {
    const request = rawRequest({ host: 'a.example', path, headers: [['x-a', header]] });
    const from = performance.now();
    const decision = await stand.engine.check(request);
    const code = decision.kind === 'allow' ? decision.about.policy : decision.denial.code;
    return { code, ms: performance.now() - from };
  };
  return { check, close: () => stand.close() };
};

test.each([
  ['Denied rules on an exact path', 'Denied', '{type: Exact, value: /x}'],
  ['Denied rules on a prefix', 'Denied', '{type: PathPrefix, value: /x}'],
  ['Denied rules on a regular expression', 'Denied', '{type: RegularExpression, value: "/x.?"}'],
  ['Allow rules on an exact path', 'Public', '{type: Exact, value: /x}'],
])(
  'a path that more %s fit than may be looked at is denied before any is, and no other path',
  async (_, access, path) => {
    // 6 × 60 × 16 × 2 are more than 10,000, five are not.
    const { check, close } = await ask(open + crowds(6, access, path));
    expect((await check('/x')).code).toBe('policy_too_complex');
    const runs = [];
    for (let run = 0; run < 5; run++) runs.push((await check('/x')).ms);
    expect(Math.min(...runs)).toBeLessThan(2);
    expect((await check('/y')).code).toBe('shop/open');
    close();
  },
);

test('as many matches as may be looked at all are', async () => {
  const { check, close } = await ask(open + crowds(5, 'Denied', '{type: Exact, value: /x}'));
  expect((await check('/x')).code).toBe('shop/open');
  expect((await check('/x', 'p4-59-15')).code).toBe('denied');
  close();
});
