import { afterEach, describe, expect, test } from 'vitest';
import { createDecisionStand, type DecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

/** What a refused document does to others, and others to it (S4). */
let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

async function start(yaml: string): Promise<DecisionStand> {
  stand?.close();
  stand = await createDecisionStand(documentsOf(yaml), {});
  return stand;
}

async function codeOf(on: DecisionStand, host: string, path: string): Promise<string> {
  const decision = await on.engine.check(rawRequest({ host, path }));
  return decision.kind === 'allow'
    ? `allow ${decision.about.policy}`
    : `${decision.denial.code} ${decision.about.policy}`;
}

const policy = (name: string, hosts: string, rules: string, more = '', namespace = 'shop'): string => `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: {hosts: [${hosts}], rules: [${rules}]${more}}
---`;
const open = '{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public}';
const noAdmin = '{name: no, matches: [{path: {type: PathPrefix, value: /admin}}], access: Denied}';
const slip = ', adresses: {deny: [10.0.0.0/8]}';
const near = policy('near', 'a.example', open, ', paths: {parameters: Strip}');

describe('S4 a policy that never was valid and is not the nearest', () => {
  test('restricts neither the addresses nor the paths of what a nearer one decides', async () => {
    const on = await start(near + policy('wide', '"*.example"', open, `, addresses: {deny: [127.0.0.0/8]}${slip}`));
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/near');
    expect(await codeOf(on, 'a.example', '/x;y')).toBe('allow shop/near');
    expect(await codeOf(on, 'b.example', '/x')).toBe('policy_invalid shop/wide');
    // The control: valid, it does both.
    await on.apply(documentsOf(near + policy('wide', '"*.example"', open, ', addresses: {deny: [127.0.0.0/8]}')));
    expect(await codeOf(on, 'a.example', '/x')).toBe('address_denied shop/wide');
  });

  test('denies there what its Denied rules would have denied, as far as they can be read', async () => {
    const on = await start(near + policy('wide', '"*.example"', noAdmin, slip));
    expect(await codeOf(on, 'a.example', '/ADMIN/x')).toBe('policy_invalid shop/wide');
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/near');
  });

  test('denies nothing there where the matches of one of its rules cannot be read', async () => {
    const on = await start(
      near + policy('wide', '"*.example"', `${noAdmin}, {name: b, match: [], access: Denied}`, slip),
    );
    expect(await codeOf(on, 'a.example', '/admin')).toBe('allow shop/near');
    expect(await codeOf(on, 'b.example', '/x')).toBe('policy_invalid shop/wide');
  });
});

describe('S4 a policy without a name', () => {
  const nameless = policy('a', 'a.example', open).replace('name: a,', 'nam: a,');
  const wide = policy('wide', '"*.example"', open);

  test.each([
    ['that is misspelt', nameless],
    ['that is a number', policy('1', 'a.example', open)],
  ])('%s denies what it would have won, and no wider policy decides for it', async (_, text) => {
    const on = await start(wide + text);
    expect(await codeOf(on, 'a.example', '/x')).toBe('policy_invalid shop/');
    expect(await codeOf(on, 'b.example', '/x')).toBe('allow shop/wide');
  });

  test('takes no host from another namespace, and none from what its file held', async () => {
    const on = await start(policy('a', 'a.example', open));
    await on.apply(documentsOf(nameless));
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a');
    await on.apply([
      ...documentsOf(policy('a', 'a.example', open)),
      ...documentsOf(nameless.replace('namespace: shop', 'namespace: other'), 'other.yaml'),
    ]);
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a');
  });
});

describe('S4 a policy that is refused after it was in force, with onInvalid: Deny', () => {
  const sets =
    '{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public, upstream: {headers: [{name: x-user, value: a}]}}';
  const wide = (more: string): string =>
    policy('wide', '"*.example"', sets, `, addresses: {deny: [127.0.0.0/8]}, onInvalid: Deny${more}`);
  const strict = (more: string): string => policy('wide', '"*.example"', sets, `, onInvalid: Deny${more}`);

  test('goes on restricting the addresses of what a nearer one decides', async () => {
    const on = await start(near + wide(''));
    for (const more of ['', slip]) {
      await on.apply(documentsOf(near + wide(more)));
      expect(await codeOf(on, 'a.example', '/x')).toBe('address_denied shop/wide');
    }
  });

  test('goes on refusing the paths that it refused, and owning the headers that it set', async () => {
    const on = await start(near + strict(''));
    for (const more of ['', slip]) {
      await on.apply(documentsOf(near + strict(more)));
      expect(await codeOf(on, 'a.example', '/x;y')).toBe('path_not_canonical ');
      const decision = await on.engine.check(rawRequest({ host: 'a.example', headers: [['x-user', 'forged']] }));
      expect(decision.kind === 'allow' && decision.upstream.removeHeaders).toContain('x-user');
      expect(await codeOf(on, 'b.example', '/x')).toBe(more === '' ? 'allow shop/wide' : 'policy_invalid shop/wide');
    }
  });

  test('is denied too where its file cannot be read, and where its name cannot', async () => {
    const yaml = policy('a', 'a.example', open, ', onInvalid: Deny');
    const on = await start(yaml);
    for (const [next, unreadable] of [
      ['', ['inline.yaml']],
      ['just: text', []],
    ] as const) {
      await on.apply(documentsOf(next), unreadable);
      expect(await codeOf(on, 'a.example', '/x')).toBe('policy_invalid shop/a');
      await on.apply(documentsOf(yaml));
      expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a');
    }
  });
});

describe('S4 a file that is not well-formed', () => {
  const floor =
    '\napiVersion: portcullis.dev/v1alpha1\nkind: ClusterAccessPolicy\nmetadata: {name: floor}\nspec: {rules: [' +
    `${noAdmin}]}\n---`;
  const before = policy('a', 'a.example', open) + floor + policy('b', 'b.example', open);

  test.each([
    ['whose --- is missing between two documents', before.replace('---', '')],
    ['whose --- is missing behind the second', before.replace(`${noAdmin}]}\n---`, `${noAdmin}]}\n`)],
    ['with a quote that is never closed', before.replace('{name: open', '{name: "open')],
  ])('%s deletes none of the documents that it held', async (_, after) => {
    const on = await start(before);
    expect(after).not.toBe(before);
    await on.apply(documentsOf(after));
    expect(await codeOf(on, 'a.example', '/admin')).toBe('denied floor');
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/a');
    expect(await codeOf(on, 'b.example', '/x')).toBe('allow shop/b');
    // The control: a document that is left out of a well-formed file is gone.
    await on.apply(documentsOf(before.replace(floor, '')));
    expect(await codeOf(on, 'a.example', '/admin')).toBe('allow shop/a');
  });
});

describe('S10 the hosts of another namespace', () => {
  const theirs = policy('theirs', 'a.example', open);

  test('are not taken by two documents of one name, one of them attached by name', async () => {
    const named = policy('n', 'x', open, '', 'other').replace('hosts: [x]', 'attachment: Named');
    const on = await start(theirs);
    await on.apply(documentsOf(theirs + named + policy('n', 'a.example', open, '', 'other')));
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/theirs');
  });

  test('stay theirs when their policy gets another name', async () => {
    const waiting = policy('waiting', 'a.example', open, '', 'other');
    const on = await start(theirs);
    await on.apply(documentsOf(theirs + waiting));
    await on.apply(documentsOf(theirs.replace('name: theirs', 'name: renamed') + waiting));
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow shop/renamed');
    // The control: given up, they are free.
    await on.apply(documentsOf(waiting));
    expect(await codeOf(on, 'a.example', '/x')).toBe('allow other/waiting');
  });
});
