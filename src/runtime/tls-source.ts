import { Failure } from '../core/failure.ts';
import type { Clock, Logger, Timers } from '../core/ports.ts';
import { createFolderWatch } from '../files/folder-watch.ts';
import type { TlsVersion } from '../std/tls-acceptor.ts';
import { foldersOf, readTlsFiles, stampTlsFiles, type TlsFiles, type TlsTexts } from './tls-files.ts';
import { judgeTls, type TlsJudgement } from './tls-judge.ts';

export type GoodTls = Extract<TlsJudgement, { readonly kind: 'good' }>;

export interface TlsSourceOptions {
  readonly files: TlsFiles;
  readonly minVersion: TlsVersion;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

export interface TlsEvents {
  /** Called with every good reading that differs from the one before. Throws where it cannot be used. */
  readonly onRenewed: (renewed: GoodTls) => void;
  /** Called once for every change of the files that cannot be used; `why` is a clause that names the file. */
  readonly onRefused: (why: string) => void;
}

export interface TlsSource {
  /** What was read at the start. */
  readonly first: GoodTls;
  /** From now on changes are looked for, those since the start too. Once. */
  follow(events: TlsEvents): void;
  close(): void;
}

/** Long enough for the second file of a pair to follow the first, most of the time. */
const settleMs = 100;
/** Notifications can be lost: a look at the stamps now and then finds what they missed. */
const pollMs = 3000;

/**
 * Reads the files, and follows their changes when told: in-place writes, renames, Kubernetes' symlink swaps. Throws a Failure `tls_unusable` or
 * `tls_unreadable` where they cannot be used at the start; later the last good reading stays, and the files are looked at again.
 */
export async function createTlsSource(options: TlsSourceOptions): Promise<TlsSource> {
  const first = await readAndJudge(options);
  if (typeof first === 'string') throw new Failure('tls_unusable', first);
  let follower: TlsFollower | undefined;
  return {
    first: first.judged,
    follow: (events) => {
      follower ??= new TlsFollower(options, first, events);
      void follower.look();
    },
    close: () => follower?.close(),
  };
}

interface Usable {
  readonly texts: TlsTexts;
  readonly judged: GoodTls;
}

/** Answers a sentence where what was read cannot be used; throws where it cannot be read. */
async function readAndJudge({ files, minVersion, clock }: TlsSourceOptions): Promise<Usable | string> {
  const texts = await readTlsFiles(files);
  const judged = judgeTls(texts, minVersion, clock.now());
  return judged.kind === 'good' ? { texts, judged } : `${files[judged.file] ?? judged.file} ${judged.why}`;
}

class TlsFollower {
  readonly #options: TlsSourceOptions;
  readonly #events: TlsEvents;
  readonly #watch: ReturnType<typeof createFolderWatch>;
  #inForce: Usable;
  /** Of the last look. */
  #stamp = '';
  /** Why the files as they are now cannot be used; undefined where they are in force. */
  #refusal: string | undefined;
  #looking = false;
  #again = false;
  #closed = false;
  #cancelTimer = (): void => undefined;

  constructor(options: TlsSourceOptions, first: Usable, events: TlsEvents) {
    this.#options = options;
    this.#events = events;
    this.#inForce = first;
    this.#watch = createFolderWatch(options.logger, () => this.#schedule(settleMs));
  }

  /** Takes what changed since the last look, and sets the time of the next one. Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    const folders = await foldersOf(this.#options.files);
    const stamp = await stampTlsFiles(this.#options.files);
    if (this.#closed) return;
    this.#watch.follow(folders);
    // What was refused is judged again: time alone can make it good.
    if (stamp !== this.#stamp || this.#refusal !== undefined) await this.#take(stamp);
    this.#looking = false;
    this.#schedule(this.#again ? settleMs : pollMs);
    this.#again = false;
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    this.#watch.close();
  }

  async #take(stamp: string): Promise<void> {
    const found = await readAndJudge(this.#options).catch(sentenceOf);
    if (this.#closed) return;
    const refusal = typeof found === 'string' ? found : this.#renew(found);
    if (refusal !== undefined && (refusal !== this.#refusal || stamp !== this.#stamp)) this.#events.onRefused(refusal);
    this.#refusal = refusal;
    this.#stamp = stamp;
  }

  /** Answers why it could not be taken into use; undefined where it is in force. */
  #renew(found: Usable): string | undefined {
    if (sameTexts(found.texts, this.#inForce.texts)) return undefined;
    try {
      this.#events.onRenewed(found.judged);
    } catch (thrown) {
      return sentenceOf(thrown);
    }
    this.#inForce = found;
    return undefined;
  }

  #schedule(delayMs: number): void {
    this.#cancelTimer();
    if (!this.#closed) this.#cancelTimer = this.#options.timers.after(delayMs, () => void this.look());
  }
}

/** Only what we wrote ourselves may be told: other errors may quote what they stumbled over. */
function sentenceOf(thrown: unknown): string {
  return thrown instanceof Failure ? thrown.message : 'the pair could not be taken into use';
}

function sameTexts(a: TlsTexts, b: TlsTexts): boolean {
  return a.certificate === b.certificate && a.key === b.key && a.clientCa === b.clientCa;
}
