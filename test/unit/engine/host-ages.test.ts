import { afterEach, describe, expect, test } from 'vitest';
import type { DocumentStatus, DocumentVersion } from '../../../src/core/status.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { clusterDocuments } from '../../support/cluster-document.ts';
import { createDecisionStand, type DecisionStand, type StandOptions } from '../../support/decision-stand.ts';
import { rawRequest } from '../../support/raw-request.ts';

/** Who owns a host in a cluster, where documents have an age (S10). */
let stand: DecisionStand | undefined;
afterEach(() => stand?.close());

async function start(changed: readonly AuthorDocument[], options: StandOptions = {}): Promise<DecisionStand> {
  stand?.close();
  stand = await createDecisionStand([], options);
  await stand.engine.applyChange({ changed, removed: [] });
  return stand;
}

async function codeOf(on: DecisionStand, host: string, path = '/x'): Promise<string> {
  const decision = await on.engine.check(rawRequest({ host, path }));
  return decision.kind === 'allow'
    ? `allow ${decision.about.policy}`
    : `${decision.denial.code} ${decision.about.policy}`;
}

function statusOf(on: DecisionStand, name: string): DocumentStatus | undefined {
  return on.engine.documentStatus(`AccessPolicy ${name}`);
}

const open = '{name: open, matches: [{path: {type: PathPrefix, value: /}}], access: Public}';
function policy(
  id: string,
  hosts: string,
  version: Partial<DocumentVersion> = {},
  more = '',
): readonly AuthorDocument[] {
  const [namespace = '', name = ''] = id.split('/');
  const metadata = `metadata: {name: ${name}, namespace: ${namespace}}`;
  const spec = `spec: {hosts: [${hosts}], rules: [${open}]${more}}`;
  return clusterDocuments(`apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\n${metadata}\n${spec}\n`, version);
}
const old = { createdAt: 1 };
const young = { createdAt: 2 };

describe('S10 in a cluster a host belongs to the namespace of the oldest policy that claims it', () => {
  test.each([
    ['the owner first', true],
    ['the owner last', false],
  ])('whatever came first: %s', async (_, isFirst) => {
    const one = policy('one/a', 'x.example', old);
    const two = policy('two/b', 'x.example, y.example', young);
    const on = await start(isFirst ? one : two);
    await on.engine.applyChange({ changed: isFirst ? two : one, removed: [] });
    expect(await codeOf(on, 'x.example')).toBe('allow one/a');
    expect(await codeOf(on, 'y.example')).toBe('allow two/b');
    expect(statusOf(on, 'one/a')).toMatchObject({ accepted: true, serving: 'current', conflicts: [] });
    expect(statusOf(on, 'two/b')).toMatchObject({
      accepted: true,
      serving: 'current',
      problems: [],
      conflicts: [{ host: 'x.example', owner: 'one' }],
    });
  });

  test('and of a policy that owns none of its hosts no version decides', async () => {
    const on = await start([...policy('one/a', 'x.example', old), ...policy('two/b', 'x.example', young)]);
    expect(statusOf(on, 'two/b')).toMatchObject({ accepted: true, servedGeneration: undefined });
    expect(statusOf(on, 'one/a')).toMatchObject({ accepted: true, servedGeneration: 1 });
    await on.engine.applyChange({ changed: [], removed: policy('one/a', 'x.example', old) });
    expect(statusOf(on, 'two/b')).toMatchObject({ servedGeneration: 1, conflicts: [] });
  });

  test('of one age, to the first by namespace', async () => {
    const on = await start([...policy('two/a', 'x.example'), ...policy('one/b', 'x.example')]);
    expect(await codeOf(on, 'x.example')).toBe('allow one/b');
  });

  test('with what is below its wildcard, but for what an older policy claims there', async () => {
    const on = await start([
      ...policy('one/a', '"*.example"', { createdAt: 2 }),
      ...policy('two/old', 'old.example', { createdAt: 1 }),
      ...policy('three/young', 'young.example', { createdAt: 3 }),
    ]);
    expect(await codeOf(on, 'old.example')).toBe('allow two/old');
    expect(await codeOf(on, 'young.example')).toBe('allow one/a');
    expect(statusOf(on, 'three/young')?.conflicts).toEqual([{ host: 'young.example', owner: 'one' }]);
  });

  test('also where its wildcard is claimed by another of its policies than before, which is younger or older', async () => {
    const first = policy('one/first', '"*.example"', { createdAt: 1 });
    const second = policy('two/b', 'x.example', { createdAt: 2 });
    const on = await start([...first, ...second, ...policy('one/last', '"*.example"', { createdAt: 3 })]);
    expect(statusOf(on, 'two/b')?.conflicts).toEqual([{ host: 'x.example', owner: 'one' }]);
    await on.engine.applyChange({ changed: [], removed: first });
    expect([await codeOf(on, 'x.example'), statusOf(on, 'two/b')?.conflicts]).toEqual(['allow two/b', []]);
    await on.engine.applyChange({ changed: first, removed: [] });
    expect(statusOf(on, 'two/b')?.conflicts).toEqual([{ host: 'x.example', owner: 'one' }]);
  });

  test('and a wildcard restricts no host of another namespace', async () => {
    const restricts = ', addresses: {deny: [127.0.0.0/8]}';
    const owner = policy('two/old', 'old.example', old);
    const on = await start([...owner, ...policy('one/a', '"*.example"', young, restricts)]);
    expect(await codeOf(on, 'old.example')).toBe('allow two/old');
    expect(await codeOf(on, 'other.example')).toBe('address_denied one/a');
    // The control: a wildcard of its own namespace does.
    await on.engine.applyChange({
      changed: policy('two/wide', '"*.example"', { createdAt: 0 }, restricts),
      removed: [],
    });
    expect(await codeOf(on, 'old.example')).toBe('address_denied two/wide');
  });

  test('until it is deleted: the next one governs at once', async () => {
    const one = policy('one/a', 'x.example', old);
    const on = await start([...one, ...policy('two/b', 'x.example', young)]);
    await on.engine.applyChange({ changed: [], removed: one });
    expect(await codeOf(on, 'x.example')).toBe('allow two/b');
    expect(statusOf(on, 'two/b')?.conflicts).toEqual([]);
    expect(statusOf(on, 'one/a')).toBeUndefined();
  });

  test('also where it is refused and its hosts can be read, and then it denies them', async () => {
    const on = await start([...policy('one/a', 'x.example', old, ', slip: 1'), ...policy('two/b', 'x.example', young)]);
    expect(await codeOf(on, 'x.example')).toBe('policy_invalid one/a');
    expect(statusOf(on, 'two/b')?.conflicts).toEqual([{ host: 'x.example', owner: 'one' }]);
  });

  test('a refused policy that does not own its host denies nothing there', async () => {
    const on = await start([...policy('one/a', 'x.example', old), ...policy('two/b', 'x.example', young, ', slip: 1')]);
    expect(await codeOf(on, 'x.example')).toBe('allow one/a');
    expect(statusOf(on, 'two/b')).toMatchObject({
      serving: 'refused',
      conflicts: [{ host: 'x.example', owner: 'one' }],
    });
  });

  test('a policy in shadow mode claims nothing', async () => {
    const shadow = policy('one/a', 'x.example', old, ', mode: Shadow');
    const on = await start([...shadow, ...policy('two/b', 'x.example', young)]);
    expect(await codeOf(on, 'x.example')).toBe('allow two/b');
    expect(statusOf(on, 'two/b')?.conflicts).toEqual([]);
    expect(statusOf(on, 'one/a')).toMatchObject({
      accepted: true,
      servedGeneration: undefined,
      conflicts: [{ host: 'x.example', owner: 'two' }],
    });
  });

  test.each([
    ['one/wide', 'one/wide'],
    ['two/wide', 'a policy of the namespace two'],
  ])('promise 6: a warning of shadow mode about %s tells %s', async (id, told) => {
    const on = await start([...policy('one/a', 'x.example', old, ', mode: Shadow'), ...policy(id, '"*.example"')]);
    expect(statusOf(on, 'one/a')?.problems.map(({ message }) => message)).toEqual([
      `in shadow mode the policy is as if deleted: requests for x.example are decided by ${told} (*.example) meanwhile`,
    ]);
  });

  test('an update that is refused, and one that nobody can read, lose no host', async () => {
    const two = policy('two/b', 'x.example', young);
    const on = await start([...policy('one/a', 'x.example', old), ...two]);
    for (const [hosts, more] of [
      ['x.example', ', slip: 1'],
      ['"a b"', ''],
    ] as const) {
      await on.engine.applyChange({ changed: policy('one/a', hosts, { ...old, generation: 2 }, more), removed: [] });
      expect(await codeOf(on, 'x.example')).toBe('allow one/a');
      expect(statusOf(on, 'one/a')).toMatchObject({
        serving: 'last-good',
        servedGeneration: 1,
        version: { generation: 2 },
        conflicts: [],
      });
    }
    await on.engine.applyChange({ changed: policy('one/a', 'y.example', { ...old, generation: 3 }), removed: [] });
    expect(await codeOf(on, 'x.example')).toBe('allow two/b');
    expect(statusOf(on, 'one/a')).toMatchObject({ serving: 'current', servedGeneration: 3 });
  });

  test('a policy that owns none of its hosts governs nothing, and the log says so', async () => {
    const on = await start([...policy('one/a', 'x.example', old), ...policy('two/b', 'x.example', young)]);
    expect(on.log).toContainEqual({
      level: 'warn',
      message: 'a policy does not own all of its hosts',
      fields: {
        document: 'AccessPolicy two/b',
        serving: 'current',
        problems: [],
        conflicts: ['x.example (of one)'],
      },
    });
  });

  test('a star needs a grant, and whoever asks for it takes nothing from others', async () => {
    const on = await start([...policy('one/a', '"*", x.example', old), ...policy('two/b', 'y.example', young)]);
    expect(await codeOf(on, 'x.example')).toBe('allow one/a');
    expect(await codeOf(on, 'y.example')).toBe('allow two/b');
    expect(await codeOf(on, 'z.example')).toBe('no_policy ');
    expect(statusOf(on, 'one/a')?.conflicts).toEqual([{ host: '*', owner: undefined }]);
  });

  test('with grants those decide, host by host, and no age', async () => {
    const hostGrants = { two: ['x.example'], three: ['w.example'] };
    const on = await start(
      [...policy('one/a', 'x.example, q.example', old), ...policy('two/b', 'x.example, w.example', young)],
      { hostGrants },
    );
    expect(await codeOf(on, 'x.example')).toBe('allow two/b');
    expect(statusOf(on, 'one/a')).toMatchObject({
      accepted: true,
      conflicts: [
        { host: 'q.example', owner: undefined },
        { host: 'x.example', owner: 'two' },
      ],
    });
    expect(statusOf(on, 'two/b')?.conflicts).toEqual([{ host: 'w.example', owner: 'three' }]);
  });

  test('an object that was deleted and made anew has no last good generation', async () => {
    const on = await start(policy('one/a', 'x.example', { uid: 'u1' }));
    await on.engine.applyChange({
      changed: policy('one/a', 'x.example', { uid: 'u2' }, ', slip: 1'),
      removed: policy('one/a', 'x.example', { uid: 'u1' }),
    });
    expect(await codeOf(on, 'x.example')).toBe('policy_invalid one/a');
    expect(statusOf(on, 'one/a')).toMatchObject({ serving: 'refused', servedGeneration: undefined });
    // The control: of the same object it has one.
    const same = await start(policy('one/a', 'x.example', { uid: 'u1' }));
    await same.engine.applyChange({ changed: policy('one/a', 'x.example', { uid: 'u1' }, ', slip: 1'), removed: [] });
    expect(await codeOf(same, 'x.example')).toBe('allow one/a');
  });
});
