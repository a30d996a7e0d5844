import type { Socket } from 'node:net';
import { messageOf } from '../../core/failure.ts';
import type { Clock } from '../../core/ports.ts';
import type { ProviderCondition } from '../../core/status.ts';
import type { MetricSnapshot } from '../../observe/merge-metrics.ts';
import type { WorkerExitReason } from '../../observe/metrics.ts';
import type { ParseSettings } from '../../policy/parse-document.ts';
import type { AnswerQuestion } from './answer-questions.ts';
import { createConnectionsOnTheWay } from './connections-on-the-way.ts';
import { toDocumentWire } from './document-wire.ts';
import type { ToWatcher, ToWorker } from './messages.ts';
import type { Revision } from './policy-state.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Why a worker is ended by the watcher. */
export type EndReason = Exclude<WorkerExitReason, 'died'>;

/** The watcher's end of one worker. */
export interface WorkerLink {
  readonly worker: number;
  readonly pid: number | undefined;
  readonly startedAt: number | undefined;
  /** The revision that it serves by; 0 before the first. */
  readonly acknowledged: number;
  /** Connections that it has. */
  readonly connections: number;
  readonly providers: ReadonlyMap<string, ProviderCondition>;
  /** Its metrics as they were told last. */
  readonly metrics: readonly MetricSnapshot[];
  /** A connection for it is on its way no more. */
  readonly isDrained: boolean;
  tell(message: ToWorker): void;
  /** Sends a revision behind those before it. */
  push(revision: Revision): void;
  handOver(socket: Socket): void;
  /** Connections that it was ever given. */
  readonly handedOver: number;
  /** Since when the oldest connection is on its way to it, monotonic; undefined where none is. */
  readonly handingSince: number | undefined;
  /** Its process is gone: nobody waits for it any longer. Gives back the connections that never were with it. */
  gone(): readonly Socket[];
  /** Calls once all that it was told is in force. */
  pass(done: () => void): void;
  /** Asks for its metrics; calls when they came. */
  measure(done: () => void): void;
  /** Since when the oldest revision is on its way, monotonic; undefined where none is. */
  waitingSince(): { readonly at: number; readonly isWhole: boolean } | undefined;
  /** When it last said something, monotonic. */
  readonly heardAt: number;
  /** When it last answered what it is asked each second, monotonic. */
  readonly answeredAt: number;
  /** From now on it counts as heard. */
  forgive(): void;
  kill(): void;
}

export interface WorkerLinkOptions {
  readonly worker: number;
  readonly process: WorkerProcess;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly settings: ParseSettings;
  readonly answer: AnswerQuestion;
  /** Lets everybody else have their turn between the parts of a long revision. */
  readonly pause: () => Promise<void>;
  readonly on: WorkerLinkEvents;
}

export interface WorkerLinkEvents {
  started(): void;
  failed(code: string, message: string): void;
  acknowledged(): void;
  /** Not all of a revision could be taken in. */
  notTaken(isWhole: boolean): void;
  /** It has lost a revision, and everything is to be sent anew. */
  lost(): void;
  reported(unrouted: readonly string[]): void;
  /** A connection is on its way to it no more, or has ended. */
  relieved(): void;
  drained(): void;
}

/** Of a revision, in one message. */
const documentsAtOnce = 100;

export function createWorkerLink(options: WorkerLinkOptions): WorkerLink {
  const link = new Link(options);
  options.process.onMessage((message) => link.take(message));
  return link;
}

class Link implements WorkerLink {
  readonly worker: number;
  readonly pid: number | undefined;
  startedAt: number | undefined;
  acknowledged = 0;
  connections = 0;
  handedOver = 0;
  providers: ReadonlyMap<string, ProviderCondition> = new Map();
  metrics: readonly MetricSnapshot[] = [];
  isDrained = false;
  heardAt: number;
  answeredAt: number;
  readonly #options: WorkerLinkOptions;
  /** By number: revisions that are not acknowledged. */
  readonly #waiting = new Map<number, { readonly at: number; readonly isWhole: boolean }>();
  readonly #passing = new Map<number, () => void>();
  readonly #measuring = new Map<number, () => void>();
  readonly #onTheWay = createConnectionsOnTheWay();
  #count = 0;
  #pulses = 0;
  #sent = 0;
  #outbox: Promise<void> = Promise.resolve();

  constructor(options: WorkerLinkOptions) {
    const { worker, process, clock } = options;
    this.worker = worker;
    this.pid = process.pid;
    this.heardAt = clock.monotonic();
    this.answeredAt = this.heardAt;
    this.#options = options;
  }

  tell(message: ToWorker): void {
    // Of what is still in the outbox a worker must not think that it is lost.
    this.#options.process.send(
      message.kind === 'pulse' ? { ...message, number: ++this.#pulses, sent: this.#sent } : message,
    );
  }

  push(revision: Revision): void {
    const { number, isWhole } = revision.message;
    this.#waiting.set(number, { at: this.#options.clock.monotonic(), isWhole });
    this.#outbox = this.#outbox
      .then(() => this.#send(revision))
      .catch((thrown: unknown) => this.#options.on.failed('internal_error', messageOf(thrown)));
  }

  handOver(socket: Socket): void {
    const { clock, process } = this.#options;
    this.connections++;
    this.handedOver++;
    process.handOver(socket, this.#onTheWay.add(socket, clock.monotonic(), this.#pulses));
  }

  get handingSince(): number | undefined {
    return this.#onTheWay.since;
  }

  gone(): readonly Socket[] {
    for (const number of this.#passing.keys()) settle(this.#passing, number);
    for (const number of this.#measuring.keys()) settle(this.#measuring, number);
    return this.#onTheWay.takeBack();
  }

  pass(done: () => void): void {
    const number = ++this.#count;
    this.#passing.set(number, done);
    this.tell({ kind: 'pass', number });
  }

  measure(done: () => void): void {
    const number = ++this.#count;
    this.#measuring.set(number, done);
    this.tell({ kind: 'measure', number });
  }

  waitingSince(): { readonly at: number; readonly isWhole: boolean } | undefined {
    const [first] = this.#waiting.values();
    return first;
  }

  forgive(): void {
    this.#heard();
    this.answeredAt = this.heardAt;
  }

  kill(): void {
    this.#options.process.kill();
  }

  take(message: ToWatcher): void {
    const { on, answer } = this.#options;
    this.#heard();
    switch (message.kind) {
      case 'started':
        this.startedAt = this.heardAt;
        this.answeredAt = this.heardAt;
        on.started();
        return;
      case 'failed':
        on.failed(message.code, message.message);
        return;
      case 'acknowledged':
        this.#acknowledge(message.number, message.isTaken);
        return;
      case 'lost':
        this.#waiting.clear();
        on.lost();
        return;
      case 'passed':
        settle(this.#passing, message.number);
        return;
      case 'question':
        void answer(message.question).then((said) =>
          this.tell({ kind: 'answer', number: message.number, answer: said }),
        );
        return;
      case 'report':
        if (message.providers !== undefined) this.providers = new Map(message.providers.map((one) => [one.key, one]));
        on.reported(message.unrouted);
        return;
      case 'taken':
        this.#onTheWay.arrived(message.number);
        on.relieved();
        return;
      case 'closed':
        this.connections--;
        on.relieved();
        return;
      case 'measured':
        this.metrics = message.metrics;
        settle(this.#measuring, message.number);
        return;
      case 'drained':
        this.metrics = message.metrics;
        this.isDrained = true;
        on.drained();
        return;
      case 'pulse':
        this.answeredAt = this.heardAt;
        this.#forget(this.#onTheWay.lostBefore(message.number));
        return;
      case 'beat':
        return;
    }
  }

  #heard(): void {
    this.heardAt = this.#options.clock.monotonic();
  }

  /** It had no room for them: no file descriptor was left. */
  #forget(connections: number): void {
    this.connections -= connections;
    if (connections > 0) this.#options.on.relieved();
  }

  #acknowledge(number: number, isTaken: boolean): void {
    const isWhole = this.#waiting.get(number)?.isWhole === true;
    if (!isTaken) this.#options.on.notTaken(isWhole);
    // It serves by an older revision, and is ended for it.
    if (!isTaken && !isWhole) return;
    for (const one of this.#waiting.keys()) if (one <= number) this.#waiting.delete(one);
    this.acknowledged = Math.max(this.acknowledged, number);
    this.#options.on.acknowledged();
  }

  async #send({ documents, message }: Revision): Promise<void> {
    const { settings, pause } = this.#options;
    for (let from = 0; from < documents.length; from += documentsAtOnce) {
      if (from > 0) await pause();
      const some = documents.slice(from, from + documentsAtOnce);
      this.tell({ kind: 'documents', documents: some.map((document) => toDocumentWire(document, settings)) });
    }
    this.tell(message);
    this.#sent = message.number;
  }
}

function settle(waiting: Map<number, () => void>, number: number): void {
  waiting.get(number)?.();
  waiting.delete(number);
}
