import { expect, test } from 'vitest';
import { createDecisionStand } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';

const range = <T>(length: number, of: (index: number) => T): T[] => Array.from({ length }, (_, index) => of(index));

const policy = (namespace: string, name: string, spec: string): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {${spec}}\n---\n`;
const open = 'rules: [{name: open, access: Public, matches: [{methods: [GET]}]}]';
const shadow = (namespace: string, name: string, host = 'a.example'): string =>
  policy(namespace, name, `mode: Shadow, hosts: ["${host}"], ${open}`);
const inForce = policy('shop', 'orders', `hosts: [a.example], ${open}`);

type Stand = Awaited<ReturnType<typeof createDecisionStand>>;

async function judged({ engine }: Stand, host = 'a.example'): Promise<readonly string[]> {
  const decision = await engine.check(rawRequest({ host, path: '/' }));
  expect(decision.kind).toBe('allow');
  return (decision.about.shadow ?? []).map(({ policy: id }) => id);
}

function unjudged({ engine }: Stand): readonly string[] {
  const documents = engine.status().documents;
  return documents
    .filter(({ problems }) => problems.some(({ code }) => code === 'shadow-not-judged'))
    .map(({ key }) => key);
}

test('S9 of the policies in shadow mode on one host eight are judged, of each namespace in turn, and status names the others', async () => {
  const theirs = range(20, (index) => `mallory/m${index + 10}`);
  const text = theirs.map((id) => shadow('mallory', id.slice(8))).join('');
  // A host that is granted to both.
  const hostGrants = { shop: ['a.example'], mallory: ['a.example'] };
  const documents = documentsOf(inForce + text + shadow('shop', 'x') + shadow('shop', 'y'));
  const stand = await createDecisionStand(documents, { hostGrants });
  expect(await judged(stand)).toEqual([...theirs.slice(0, 6), 'shop/x', 'shop/y']);
  expect(unjudged(stand)).toEqual(theirs.slice(6).map((id) => `AccessPolicy ${id}`));
  const first = stand.engine.status().documents.find(({ key }) => key === 'AccessPolicy mallory/m16');
  expect(first?.problems.map(({ message, severity, field }) => [severity, field, message])).toEqual([
    [
      'warning',
      'spec.mode',
      'at a.example more policies are in shadow mode than the 8 that are judged, and this is none of them: what it would decide is not recorded',
    ],
  ]);
  // One fewer of shop is one more of the others; with eight all are.
  await stand.apply(documentsOf(inForce + text + shadow('shop', 'x')));
  expect(await judged(stand)).toEqual([...theirs.slice(0, 7), 'shop/x']);
  expect(unjudged(stand)).toEqual(theirs.slice(7).map((id) => `AccessPolicy ${id}`));
  await stand.apply(documentsOf(inForce + range(8, (index) => shadow('mallory', `m${index}`)).join('')));
  expect(await judged(stand)).toHaveLength(8);
  expect(unjudged(stand)).toEqual([]);
  stand.close();
});

test('S9 a host with many labels does not make a request cost more shadows than 32', async () => {
  const labels = range(12, () => 'x');
  const hosts = range(12, (index) => `*.${[...labels.slice(index), 'a.example'].join('.')}`);
  const text = hosts.flatMap((host, level) => range(4, (index) => shadow('shop', `m${level + 10}-${index}`, host)));
  const wide = policy('shop', 'wide', `hosts: ["*.a.example"], ${open}`);
  const stand = await createDecisionStand(documentsOf(wide + text.join('')));
  // The nearest are judged: those of the narrowest wildcards.
  const found = await judged(stand, ['y', ...labels, 'a.example'].join('.'));
  expect(found).toHaveLength(32);
  expect(found).toEqual(range(32, (index) => `shop/m${Math.floor(index / 4) + 10}-${index % 4}`));
  expect(unjudged(stand)).toEqual([]);
  stand.close();
});

test('S9 all shadows of a check share what looking at matches may cost, and the decision has its own', async () => {
  const pairs = (value: number): string => range(16, (index) => `{name: x-${index}, value: "${value}"}`).join();
  const match = (index: number): string =>
    `{path: {type: Exact, value: /}, headers: [${pairs(index)}], queryParams: [${pairs(index)}]}`;
  const denying = range(10, (index) => `{name: d${index}, access: Denied, matches: [${range(16, match).join()}]}`);
  const dear = range(3, (index) =>
    policy('shop', `m${index}`, `mode: Shadow, hosts: [a.example], rules: [${denying.join()}]`),
  );
  const stand = await createDecisionStand(documentsOf(inForce + dear.join('')));
  const decision = await stand.engine.check(rawRequest({ host: 'a.example', path: '/' }));
  expect([decision.kind, decision.about.shadow?.map(({ code }) => code)]).toEqual([
    'allow',
    ['ok', 'deadline_exceeded', 'deadline_exceeded'],
  ]);
  stand.close();
});

test('S9 all shadows of a check share what evaluating expressions may cost, and the decision has its own', async () => {
  const loop = `request.headers['x-a'].split('').all(c, request.headers['x-a'].split('').all(d, c != 'z'))`;
  const denying = range(
    3,
    (index) =>
      `{name: d${index}, access: Denied, matches: [{path: {type: PathPrefix, value: /}}], when: [{expression: "${loop} && request.method == 'PUT'"}]}`,
  );
  const allowing = '{name: open, access: Public, matches: [{methods: [GET]}]}';
  const dear = (name: string, mode: string): string =>
    policy('shop', name, `mode: ${mode}, hosts: [a.example], rules: [${[...denying, allowing].join()}]`);
  const shadows = range(8, (index) => dear(`s${index}`, 'Shadow')).join('');
  const floor =
    'apiVersion: portcullis.dev/v1alpha1\nkind: ClusterAccessPolicy\nmetadata: {name: floor}\nspec: {mode: Shadow, addresses: {deny: [127.0.0.0/8]}}\n---\n';
  const stand = await createDecisionStand(documentsOf(dear('a', 'Enforce') + shadows + floor));
  const verdicts = async (length: number): Promise<unknown> => {
    const raw = rawRequest({ host: 'a.example', path: '/', headers: [['x-a', 'a'.repeat(length)]] });
    const decision = await stand.engine.check(raw);
    return [decision.kind, decision.about.shadow?.map(({ code }) => code)];
  };
  // The operator's is the first to be judged; of the others those for which nothing is left are not.
  expect(await verdicts(60)).toEqual(['allow', ['address_denied', 'ok', ...range(7, () => 'deadline_exceeded')]]);
  // The control: there is enough for all where each costs little.
  expect(await verdicts(2)).toEqual(['allow', ['address_denied', ...range(8, () => 'ok')]]);
  stand.close();
});
