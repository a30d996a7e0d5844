import type { Socket } from 'node:net';
import { Failure } from '../../core/failure.ts';
import type { Clock, Logger, Random, Timers } from '../../core/ports.ts';
import type { ProviderCondition, WorkersStatus } from '../../core/status.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { MetricSnapshot } from '../../observe/merge-metrics.ts';
import type { ParseSettings } from '../../policy/parse-document.ts';
import { createBackOff, type BackOff } from '../../std/back-off.ts';
import type { AnswerQuestion } from './answer-questions.ts';
import { createHandOver, type HandOver } from './hand-over.ts';
import { judgeWorker } from './judge-worker.ts';
import type { ToWorker } from './messages.ts';
import type { PolicyState, Revision } from './policy-state.ts';
import type { ListReadState } from './received-list.ts';
import { createWorkerLink, type EndReason, type WorkerLink } from './worker-link.ts';
import { createWorkerMetrics } from './worker-metrics.ts';
import type { WorkerProcess } from './worker-process.ts';

/** The workers of a service. */
export interface Fleet {
  /** Resolves once all of them take connections; rejects with the Failure of the first that cannot start. */
  readonly started: Promise<void>;
  /** Resolves once the revision is in force at every worker that takes connections. Never rejects. */
  push(revision: Revision): Promise<void>;
  tell(message: ToWorker): void;
  /** Resolves once every worker has in force what it was told; rejects with a Failure where one does not say so in time. */
  passed(): Promise<void>;
  setServing(isServing: boolean): void;
  /** Gives the connection to the worker that has the fewest, when it can take one. */
  take(socket: Socket): void;
  metrics(): Promise<readonly (readonly MetricSnapshot[])[]>;
  /** What workers say of a provider. */
  conditionsOf(key: string): readonly ProviderCondition[];
  status(): WorkersStatus;
  /** Resolves once no connection is left, or after the time. */
  drain(timeoutMs: number): Promise<'drained' | 'forced'>;
  /** Ends all of them; resolves once they are gone. */
  close(): Promise<void>;
}

export interface FleetOptions {
  readonly count: number;
  readonly startProcess: () => WorkerProcess;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'workers' | 'workerEnded'>;
  readonly settings: ParseSettings;
  readonly answer: AnswerQuestion;
  readonly pause: () => Promise<void>;
  readonly state: Pick<PolicyState, 'whole' | 'number'>;
  /** What a worker is told first: how it is to be, and what is in force beside policies. */
  readonly introduce: (worker: number) => readonly ToWorker[];
  /** How the list of revocations stands that workers have a copy of. */
  readonly revoked: () => ListReadState;
  readonly onUnrouted: (policy: string) => void;
}

const tickMs = 1000;
/** How long whoever revokes waits for the workers. */
const passMs = 2000;
const measureMs = 1000;
/** Who does not end by itself is ended. */
const endMs = 1000;
const backOff = { firstMs: 100, maxMs: 30_000 };
/** Who lived so long did not die of its beginning. */
const steadyMs = 60_000;

export function createFleet(options: FleetOptions): Fleet {
  return new Workers(options);
}

interface Slot {
  readonly worker: number;
  readonly backOff: BackOff;
  link: WorkerLink | undefined;
  /** What it was told first is in force. */
  isIntroduced: boolean;
  /** Takes connections. */
  isServing: boolean;
  bornAt: number;
  /** It was told that it serves by an older revision. */
  isToldLate: boolean;
  reason: EndReason | undefined;
}

class Workers implements Fleet {
  readonly started: Promise<void>;
  readonly #options: FleetOptions;
  readonly #slots: readonly Slot[];
  readonly #metrics: ReturnType<typeof createWorkerMetrics>;
  readonly #handOver: HandOver;
  readonly #start = Promise.withResolvers<void>();
  #hasStarted = false;
  #isServing = false;
  #isClosing = false;
  /** Who waits for a revision to be in force everywhere. */
  #waiting: { readonly number: number; readonly resolve: () => void }[] = [];
  #inForce = 0;
  #whenDrained: (() => void) | undefined;
  #whenGone: (() => void) | undefined;
  #tickedAt: number;
  #cancelTick: () => void;

  constructor(options: FleetOptions) {
    this.#options = options;
    const { count, random, clock, timers } = options;
    this.started = this.#start.promise;
    // Who does not wait for it hears of it by the death of the worker.
    this.started.catch(() => {});
    this.#metrics = createWorkerMetrics();
    this.#handOver = createHandOver({ links: () => this.#links(), clock, timers });
    this.#tickedAt = clock.monotonic();
    this.#slots = Array.from({ length: count }, (_, index) => ({
      worker: index + 1,
      backOff: createBackOff(backOff, random),
      link: undefined,
      isIntroduced: false,
      isServing: false,
      bornAt: 0,
      isToldLate: false,
      reason: undefined,
    }));
    for (const slot of this.#slots) this.#begin(slot);
    this.#cancelTick = this.#tickLater();
  }

  push(revision: Revision): Promise<void> {
    const { number } = revision.message;
    for (const { link } of this.#slots) link?.push(revision);
    return new Promise((resolve) => {
      this.#waiting.push({ number, resolve });
      this.#settle();
    });
  }

  tell(message: ToWorker): void {
    for (const { link } of this.#slots) link?.tell(message);
  }

  passed(): Promise<void> {
    const { timers } = this.#options;
    // One that dies meanwhile counts: it decides nothing any more, and who takes its place is told before it does.
    const links = this.#allLinks().filter(({ startedAt }) => startedAt !== undefined);
    const all = Promise.all(links.map((link) => new Promise<void>((resolve) => link.pass(resolve))));
    return new Promise((resolve, reject) => {
      const cancel = timers.after(passMs, () => reject(new Failure('worker_silent', 'a worker does not answer')));
      void all.then(() => {
        cancel();
        resolve();
      });
    });
  }

  setServing(isServing: boolean): void {
    this.#isServing = isServing;
    this.tell({ kind: 'serving', isServing });
  }

  take(socket: Socket): void {
    this.#handOver.take(socket);
  }

  async metrics(): Promise<readonly (readonly MetricSnapshot[])[]> {
    const { timers } = this.#options;
    const measured = Promise.all(this.#allLinks().map((link) => new Promise<void>((resolve) => link.measure(resolve))));
    await new Promise<void>((resolve) => {
      const cancel = timers.after(measureMs, resolve);
      void measured.then(() => {
        cancel();
        resolve();
      });
    });
    return [await this.#metrics.gone(), ...this.#allLinks().map(({ metrics }) => metrics)];
  }

  conditionsOf(key: string): readonly ProviderCondition[] {
    return this.#links().flatMap(({ providers }) => providers.get(key) ?? []);
  }

  status(): WorkersStatus {
    const { state } = this.#options;
    return { wanted: this.#slots.length, serving: this.#links().length, sent: state.number, inForce: this.#inForce };
  }

  drain(timeoutMs: number): Promise<'drained' | 'forced'> {
    this.#isClosing = true;
    this.#handOver.flush();
    this.tell({ kind: 'drain', timeoutMs });
    return new Promise((resolve) => {
      const cancel = this.#options.timers.after(timeoutMs, () => resolve('forced'));
      this.#whenDrained = () => {
        if (!this.#allLinks().every(({ isDrained }) => isDrained)) return;
        cancel();
        resolve('drained');
      };
      this.#whenDrained();
    });
  }

  close(): Promise<void> {
    this.#isClosing = true;
    this.#cancelTick();
    this.tell({ kind: 'end' });
    this.#options.timers.after(endMs, () => {
      for (const link of this.#allLinks()) link.kill();
    });
    return new Promise((resolve) => {
      this.#whenGone = () => {
        if (this.#allLinks().length === 0) resolve();
      };
      this.#whenGone();
    });
  }

  /** Those that take connections. */
  #links(): readonly WorkerLink[] {
    return this.#slots.flatMap(({ link, isServing }) => (isServing && link !== undefined ? [link] : []));
  }

  #allLinks(): readonly WorkerLink[] {
    return this.#slots.flatMap(({ link }) => link ?? []);
  }

  #begin(slot: Slot): void {
    const { startProcess, clock, settings, answer, pause, state, introduce, revoked, onUnrouted, logger } =
      this.#options;
    const process = startProcess();
    const { worker } = slot;
    const link = createWorkerLink({
      worker,
      process,
      clock,
      settings,
      answer,
      pause,
      on: {
        started: () => this.#started(slot),
        failed: (code, message) => this.#failed(slot, code, message),
        acknowledged: () => this.#settle(),
        notTaken: (isWhole) => {
          logger.error({ worker, isWhole }, 'a worker could not take in all of a revision, which is a bug');
          if (!isWhole) this.#end(slot, 'failed');
        },
        lost: () => {
          logger.warn({ worker }, 'a worker has lost a revision: everything is sent anew');
          const whole = state.whole();
          if (whole !== undefined) link.push(whole);
        },
        reported: (unrouted) => unrouted.forEach(onUnrouted),
        relieved: () => this.#handOver.go(),
        drained: () => this.#whenDrained?.(),
      },
    });
    slot.link = link;
    slot.bornAt = clock.monotonic();
    slot.reason = undefined;
    slot.isIntroduced = false;
    process.onExit((how) => this.#gone(slot, how));
    for (const message of introduce(worker)) link.tell(message);
    // Until it hears this, it takes what it was told for nothing that can be read.
    link.tell({ kind: 'pulse', number: 0, sent: 0, revoked: revoked() });
    link.pass(() => {
      slot.isIntroduced = true;
      this.#settle();
    });
    const whole = state.whole();
    if (whole !== undefined) link.push(whole);
  }

  #started(slot: Slot): void {
    this.#options.logger.info({ worker: slot.worker, pid: slot.link?.pid }, 'a worker has started');
    this.#settle();
  }

  #failed(slot: Slot, code: string, message: string): void {
    // At the start it is told by whoever waits for it.
    if (this.#hasStarted)
      this.#options.logger.error({ worker: slot.worker, code, error: message }, 'a worker cannot go on');
    this.#start.reject(new Failure(code, message));
    this.#end(slot, 'failed');
  }

  /** Who has to be ended takes no connection any more, and counts no more. */
  #end(slot: Slot, reason: EndReason): void {
    slot.reason ??= reason;
    slot.isServing = false;
    slot.link?.kill();
  }

  #gone(slot: Slot, how: string): void {
    const { clock, timers, logger, metrics } = this.#options;
    const { worker, link } = slot;
    if (link !== undefined) this.#metrics.leave(link.metrics);
    slot.link = undefined;
    slot.isServing = false;
    const neverArrived = link?.gone() ?? [];
    if (this.#isClosing) {
      for (const socket of neverArrived) socket.destroy();
      this.#whenDrained?.();
      this.#whenGone?.();
      return;
    }
    // It has said nothing on them. Where it had begun to read one, the next worker finds no preface and closes it.
    for (const socket of neverArrived.toReversed()) this.#handOver.takeBack(socket);
    this.#handOver.go();
    const reason = slot.reason ?? 'died';
    metrics.workerEnded(reason);
    if (clock.monotonic() - slot.bornAt >= steadyMs) slot.backOff.reset();
    const delayMs = Math.round(slot.backOff.next());
    logger.error({ worker, pid: link?.pid, how, reason, delayMs }, 'a worker has ended: another one takes its place');
    this.#start.reject(new Failure('worker_ended', `a worker has ended before it could start (${how})`));
    timers.after(delayMs, () => {
      if (!this.#isClosing) this.#begin(slot);
    });
    this.#settle();
  }

  /** Lets in who serves what all serve, and tells whoever waits for a revision that all serve now. */
  #settle(): void {
    for (const slot of this.#slots) {
      const { link, isServing, isIntroduced } = slot;
      if (isServing || !isIntroduced || slot.reason !== undefined || link?.startedAt === undefined) continue;
      if (link.acknowledged < this.#inForce) continue;
      slot.isServing = true;
      link.tell({ kind: 'serving', isServing: this.#isServing });
      this.#handOver.go();
    }
    const links = this.#links();
    if (!this.#hasStarted && links.length === this.#slots.length) {
      this.#hasStarted = true;
      this.#start.resolve();
    }
    if (links.length === 0) return;
    this.#inForce = Math.max(this.#inForce, Math.min(...links.map(({ acknowledged }) => acknowledged)));
    const done = this.#waiting.filter(({ number }) => number <= this.#inForce);
    this.#waiting = this.#waiting.filter(({ number }) => number > this.#inForce);
    for (const { resolve } of done) resolve();
  }

  /** Once, when it begins. */
  #tellLate(slot: Slot, { pid, acknowledged }: WorkerLink, isLate: boolean): void {
    const { logger, state } = this.#options;
    if (isLate && !slot.isToldLate)
      logger.warn(
        { worker: slot.worker, pid, acknowledged, sent: state.number },
        'a worker has not taken in a revision yet: it is not said to be in force',
      );
    slot.isToldLate = isLate;
  }

  #tickLater(): () => void {
    return this.#options.timers.after(tickMs, () => {
      this.#tick();
      this.#cancelTick = this.#tickLater();
    });
  }

  #tick(): void {
    const { clock, logger, metrics, revoked, state } = this.#options;
    const now = clock.monotonic();
    // Who was held up itself has not heard what was said meanwhile.
    const wasHeldUp = now - this.#tickedAt > 2 * tickMs;
    this.#tickedAt = now;
    let late = 0;
    for (const slot of this.#slots) {
      const { link } = slot;
      if (link === undefined) continue;
      if (wasHeldUp) link.forgive();
      const othersServe = this.#slots.every((other) => other === slot || other.isServing);
      const judged = judgeWorker(link, { bornAt: slot.bornAt, now, othersServe });
      if (judged.isLate) late++;
      this.#tellLate(slot, link, judged.isLate);
      if (judged.end !== undefined && slot.reason === undefined) {
        const { worker, pid, acknowledged } = link;
        logger.error(
          { worker, pid, reason: judged.end, acknowledged, sent: state.number },
          'a worker does not do what it has to, and is ended',
        );
        this.#end(slot, judged.end);
        this.#settle();
      }
    }
    this.tell({ kind: 'pulse', number: 0, sent: 0, revoked: revoked() });
    const serving = this.#links().length;
    metrics.workers({ serving, starting: this.#slots.length - serving, late });
  }
}
