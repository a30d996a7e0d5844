import type { Socket } from 'node:net';
import { messageOf } from '../../core/failure.ts';
import type { Clock } from '../../core/ports.ts';
import type { ProviderCondition } from '../../core/status.ts';
import type { MetricSnapshot } from '../../observe/merge-metrics.ts';
import type { ParseSettings } from '../../policy/parse-document.ts';
import type { AnswerQuestion } from './answer-questions.ts';
import { toDocumentWire } from './document-wire.ts';
import type { ToWatcher, ToWorker } from './messages.ts';
import type { Revision } from './policy-state.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Why a worker is ended by the watcher. */
export type EndReason = 'unstarted' | 'hung' | 'late' | 'failed';

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
  /** Connections that it ever had. */
  readonly handedOver: number;
  /** Its process is gone: nobody waits for it any longer. */
  gone(): void;
  /** Calls once all that it was told is in force. */
  pass(done: () => void): void;
  /** Asks for its metrics; calls when they came. */
  measure(done: () => void): void;
  /** Since when the oldest revision is on its way, monotonic; undefined where none is. */
  waitingSince(): { readonly at: number; readonly isWhole: boolean } | undefined;
  /** When it last said something, monotonic. */
  readonly heardAt: number;
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
  readonly #options: WorkerLinkOptions;
  /** By number: revisions that are not acknowledged. */
  readonly #waiting = new Map<number, { readonly at: number; readonly isWhole: boolean }>();
  readonly #passing = new Map<number, () => void>();
  readonly #measuring = new Map<number, () => void>();
  #count = 0;
  #sent = 0;
  #outbox: Promise<void> = Promise.resolve();

  constructor(options: WorkerLinkOptions) {
    const { worker, process, clock } = options;
    this.worker = worker;
    this.pid = process.pid;
    this.heardAt = clock.monotonic();
    this.#options = options;
  }

  tell(message: ToWorker): void {
    // Of what is still in the outbox a worker must not think that it is lost.
    this.#options.process.send(message.kind === 'pulse' ? { ...message, sent: this.#sent } : message);
  }

  push(revision: Revision): void {
    const { number, isWhole } = revision.message;
    this.#waiting.set(number, { at: this.#options.clock.monotonic(), isWhole });
    this.#outbox = this.#outbox
      .then(() => this.#send(revision))
      .catch((thrown: unknown) => this.#options.on.failed('internal_error', messageOf(thrown)));
  }

  handOver(socket: Socket): void {
    this.connections++;
    this.handedOver++;
    this.#options.process.handOver(socket, () => {
      this.connections--;
      socket.destroy();
    });
  }

  gone(): void {
    for (const number of this.#passing.keys()) settle(this.#passing, number);
    for (const number of this.#measuring.keys()) settle(this.#measuring, number);
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
    this.heardAt = this.#options.clock.monotonic();
  }

  kill(): void {
    this.#options.process.kill();
  }

  take(message: ToWatcher): void {
    const { on, answer } = this.#options;
    this.forgive();
    switch (message.kind) {
      case 'started':
        this.startedAt = this.heardAt;
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
      case 'closed':
        this.connections--;
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
        return;
    }
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
