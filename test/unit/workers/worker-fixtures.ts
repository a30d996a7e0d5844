import type { Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import type { ToWatcher, ToWorker } from '../../../src/runtime/workers/messages.ts';
import type { WorkerProcess } from '../../../src/runtime/workers/worker-process.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { documentsOf } from '../../support/policy-test.ts';

/** A worker that does what the test says. Messages go through V8's serialization, as they do between processes. */
export interface FakeWorker extends WorkerProcess {
  readonly messages: readonly ToWorker[];
  /** Connections that it was given, and how many that are. */
  readonly given: readonly Socket[];
  readonly sockets: number;
  /** Whether it takes at once what it is given. */
  isTaking: boolean;
  /** Takes the first of those that it was given and did not take. */
  takeOne(): void;
  readonly isKilled: boolean;
  say(message: ToWatcher): void;
  /** Answers the last pulse, if there was one. */
  answerPulses(): void;
  exit(how: string): void;
  /** The kinds of messages since the last time it was asked. */
  kinds(): readonly string[];
}

export function createFakeWorker(pid: number): FakeWorker {
  const messages: ToWorker[] = [];
  const given: Socket[] = [];
  const numbers: number[] = [];
  let listener: (message: ToWatcher) => void = () => undefined;
  let onExit: (how: string) => void = () => undefined;
  let seen = 0;
  const worker = {
    pid,
    messages,
    given,
    get sockets() {
      return given.length;
    },
    isTaking: true,
    isKilled: false,
    send: (message: ToWorker) => void messages.push(deserialize(serialize(message)) as ToWorker),
    handOver: (socket: Socket, number: number) => {
      given.push(socket);
      if (worker.isTaking) worker.say({ kind: 'taken', number });
      else numbers.push(number);
    },
    takeOne: () => {
      const number = numbers.shift();
      if (number !== undefined) worker.say({ kind: 'taken', number });
    },
    onMessage: (take: typeof listener) => void (listener = take),
    onExit: (take: typeof onExit) => void (onExit = take),
    kill: () => void (worker.isKilled = true),
    say: (message: ToWatcher) => listener(deserialize(serialize(message)) as ToWatcher),
    answerPulses: () => {
      const last = messages.findLast((message) => message.kind === 'pulse');
      if (last !== undefined) worker.say({ kind: 'pulse', number: last.number });
    },
    exit: (how: string) => onExit(how),
    kinds: () => {
      const fresh = messages.slice(seen).map(({ kind }) => kind);
      seen = messages.length;
      return fresh;
    },
  };
  return worker;
}

/** A policy that lets everybody in where it governs. */
export function policyOf(name: string, host = `${name}.example`): AuthorDocument {
  const [document] = documentsOf(`
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ${name}, namespace: shop}
spec: {hosts: [${host}], rules: [{name: r, matches: [{path: {type: PathPrefix, value: /}}], access: Public}]}
`);
  if (document === undefined) throw new Error('there is one');
  return document;
}

/** The same as an object of a cluster: it has a name of its own. */
export function objectOf(name: string, host?: string): AuthorDocument {
  const { value, problems } = policyOf(name, host);
  const source = `AccessPolicy shop/${name}`;
  return { value, problems, source, placeOf: () => ({ source, line: undefined, column: undefined }) };
}
