import { afterEach, expect, it } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { toDocumentWire } from '../../../src/runtime/workers/document-wire.ts';
import type { ToWatcher } from '../../../src/runtime/workers/messages.ts';
import { createPolicyState, type Revision } from '../../../src/runtime/workers/policy-state.ts';
import { createRevisionTaker } from '../../../src/runtime/workers/revision-taker.ts';
import { random, realTimers } from '../../support/decision-stand.ts';
import { inlinePasswords } from '../../support/inline-passwords.ts';
import { noEvents, silentNetwork } from '../../support/networks.ts';
import { rawRequest } from '../../support/raw-request.ts';
import { objectOf, policyOf } from './worker-fixtures.ts';

const settings = { serviceNamespace: 'portcullis' };
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const engines: Engine[] = [];
afterEach(() => {
  for (const engine of engines.splice(0)) engine.close();
});

/** A worker's engine behind its taker, and a watcher's state before it. */
function createStand() {
  const engine = createEngine(
    {
      trustedHops: 0,
      maxHeaders: 100,
      serviceNamespace: 'portcullis',
      hostGrants: undefined,
      ownedHeaders: [],
      keyLoadTimeoutMs: 100,
      shadowAll: false,
      identity: {},
    },
    {
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      timers: realTimers,
      random,
      logger: quiet,
      http: silentNetwork,
      passwords: inlinePasswords,
      events: noEvents,
    },
  );
  engines.push(engine);
  const said: ToWatcher[] = [];
  const broken: unknown[] = [];
  const closed: string[] = [];
  const taker = createRevisionTaker({
    engine: {
      ...engine,
      closeUnrouted: (namespaces) => {
        closed.push([...namespaces].toSorted().join());
        engine.closeUnrouted(namespaces);
      },
    },
    settings,
    tell: (message) => void said.push(message),
    onBroken: (thrown) => void broken.push(thrown),
  });
  const state = createPolicyState();
  const send = ({ documents, message }: Revision): void => {
    const wires = documents.map((document) => toDocumentWire(document, settings));
    if (wires.length > 0) taker.documents(structuredClone(wires));
    taker.revision(structuredClone(message));
  };
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20));
  const answers = async (...hosts: readonly string[]): Promise<readonly string[]> =>
    Promise.all(
      hosts.map(async (host) => {
        const decision = await engine.check(rawRequest({ host }));
        return decision.kind === 'allow' ? 'allow' : decision.denial.code;
      }),
    );
  return { taker, state, send, settle, said, broken, closed, answers, engine };
}

const readingOf = (...documents: readonly AuthorDocument[]) => ({
  documents,
  problems: [],
  unreadable: new Set<string>(),
});

it('takes readings of a folder, each the difference to the one before, and acknowledges each when it is in force', async () => {
  const { state, send, settle, said, answers } = createStand();
  const [a, b, c] = [policyOf('a'), policyOf('b'), policyOf('c')];
  expect(await answers('a.example')).toEqual(['not_ready']);
  send(state.read(readingOf(a, b)));
  await settle();
  expect(await answers('a.example', 'b.example', 'c.example')).toEqual(['allow', 'allow', 'no_policy']);
  const second = state.read(readingOf(c, a));
  expect([second.documents, second.message.reading?.order]).toEqual([[c], [-1, 0]]);
  send(second);
  await settle();
  expect(await answers('a.example', 'b.example', 'c.example')).toEqual(['allow', 'no_policy', 'allow']);
  expect(said).toEqual([
    { kind: 'acknowledged', number: 1, isTaken: true },
    { kind: 'acknowledged', number: 2, isTaken: true },
  ]);
});

it('takes changes of a cluster in their order', async () => {
  const { state, send, settle, said, answers } = createStand();
  send(state.change({ changed: [objectOf('a'), objectOf('b')], removed: [] }));
  send(state.change({ changed: [objectOf('b', 'c.example')], removed: [objectOf('a')] }));
  await settle();
  expect(await answers('a.example', 'b.example', 'c.example')).toEqual(['no_policy', 'no_policy', 'allow']);
  expect(said).toEqual([1, 2].map((number) => ({ kind: 'acknowledged', number, isTaken: true })));
});

it('acknowledges a revision that comes twice, and takes it once', async () => {
  const { state, send, settle, said, answers } = createStand();
  const first = state.change({ changed: [objectOf('a')], removed: [] });
  send(first);
  await settle();
  send(state.change({ changed: [], removed: [objectOf('a')] }));
  await settle();
  send(first);
  await settle();
  expect(await answers('a.example')).toEqual(['no_policy']);
  expect(said.map((message) => message.kind === 'acknowledged' && message.number)).toEqual([1, 2, 1]);
});

it('takes nothing behind a gap but everything anew, also what is gone meanwhile', async () => {
  const { state, send, settle, said, answers } = createStand();
  send(state.change({ changed: [objectOf('a'), objectOf('b')], removed: [] }));
  await settle();
  state.change({ changed: [], removed: [objectOf('a')] });
  send(state.change({ changed: [objectOf('c')], removed: [] }));
  send(state.change({ changed: [objectOf('d')], removed: [] }));
  await settle();
  expect(await answers('a.example', 'c.example', 'd.example')).toEqual(['allow', 'no_policy', 'no_policy']);
  expect(said.slice(1)).toEqual([{ kind: 'lost', received: 1 }]);
  const whole = state.whole();
  if (whole === undefined) throw new Error('there is something');
  send(whole);
  await settle();
  expect(await answers('a.example', 'b.example', 'c.example', 'd.example')).toEqual([
    'no_policy',
    'allow',
    'allow',
    'allow',
  ]);
  send(state.change({ changed: [], removed: [objectOf('d')] }));
  await settle();
  expect(await answers('b.example', 'd.example')).toEqual(['allow', 'no_policy']);
  expect(said.slice(2)).toEqual([4, 5].map((number) => ({ kind: 'acknowledged', number, isTaken: true })));
});

it('finds out by the pulse that the last revision is missing, and tells it once', async () => {
  const { taker, state, send, said, settle } = createStand();
  send(state.read(readingOf(policyOf('a'))));
  await settle();
  taker.sent(1);
  taker.sent(2);
  taker.sent(2);
  expect(said.slice(1)).toEqual([{ kind: 'lost', received: 1 }]);
});

it('gives a worker that knows nothing a reading as a whole', async () => {
  const { state, send, settle, answers, said } = createStand();
  const [a, b] = [policyOf('a'), policyOf('b')];
  state.read(readingOf(a));
  state.read(readingOf(a, b));
  const whole = state.whole();
  if (whole === undefined) throw new Error('there is something');
  send(whole);
  await settle();
  expect(await answers('a.example', 'b.example')).toEqual(['allow', 'allow']);
  expect(said).toEqual([{ kind: 'acknowledged', number: 2, isTaken: true }]);
});

it('is not ready by what says only which namespaces are closed', async () => {
  const { state, send, settle, answers } = createStand();
  expect(state.whole()).toBeUndefined();
  state.close(new Set(['shop']));
  const whole = state.whole();
  if (whole === undefined) throw new Error('there is something');
  send(whole);
  await settle();
  expect(await answers('a.example')).toEqual(['not_ready']);
});

it('closes namespaces at once and opens them when what came with it is in force, however many revisions are on their way', async () => {
  const { state, send, settle, closed } = createStand();
  send(state.close(new Set(['x'])));
  send(state.close(new Set(['y'])));
  send(state.close(new Set()));
  expect(closed).toEqual(['x', 'x,y', 'x,y']);
  await settle();
  expect(closed.slice(3)).toEqual(['x,y', 'y', '']);
});

it('ends where a revision names a document that is not there: half of a reading would be another policy', async () => {
  const { taker, settle, broken, said } = createStand();
  const reading = { order: [-1], problems: [], unreadable: [] };
  taker.revision({ kind: 'revision', number: 1, isWhole: false, reading, hasObjects: false, removed: [], closed: [] });
  await settle();
  expect(broken).toHaveLength(1);
  expect(said).toEqual([]);
});

it('says that a revision could not be taken in as a whole, and goes on', async () => {
  const said: ToWatcher[] = [];
  const outcomes = [false, true];
  const taker = createRevisionTaker({
    engine: {
      apply: async () => true,
      applyChange: async () => outcomes.shift() === true,
      closeUnrouted: () => undefined,
      hasten: () => () => undefined,
    },
    settings,
    tell: (message) => void said.push(message),
    onBroken: () => undefined,
  });
  const state = createPolicyState();
  for (const name of ['a', 'b']) taker.revision(state.change({ changed: [objectOf(name)], removed: [] }).message);
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(said).toEqual([
    { kind: 'acknowledged', number: 1, isTaken: false },
    { kind: 'acknowledged', number: 2, isTaken: true },
  ]);
});
