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
  if (first.kind === 'refused') throw new Failure('tls_unusable', first.why);
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
  readonly kind: 'usable';
  readonly texts: TlsTexts;
  readonly judged: GoodTls;
}

interface Refused {
  readonly kind: 'refused';
  /** Undefined where they could not be read. */
  readonly texts: TlsTexts | undefined;
  readonly why: string;
}

/** Throws where the files cannot be read. */
async function readAndJudge({ files, minVersion, clock }: TlsSourceOptions): Promise<Usable | Refused> {
  const texts = await readTlsFiles(files);
  const judged = judgeTls(texts, minVersion, clock.now());
  if (judged.kind === 'good') return { kind: 'usable', texts, judged };
  return { kind: 'refused', texts, why: `${files[judged.file] ?? judged.file} ${judged.why}` };
}

class TlsFollower {
  readonly #options: TlsSourceOptions;
  readonly #events: TlsEvents;
  readonly #watch: ReturnType<typeof createFolderWatch>;
  #inForce: Usable;
  /** Of the last look. */
  #stamp = '';
  /** The files as they are now, where they cannot be used; undefined where they are in force. */
  #refused: Refused | undefined;
  #looking = false;
  #again = false;
  #soon = false;
  #closed = false;
  #cancelTimer = (): void => undefined;

  constructor(options: TlsSourceOptions, first: Usable, events: TlsEvents) {
    this.#options = options;
    this.#events = events;
    this.#inForce = first;
    this.#watch = createFolderWatch(options.logger, () => this.#lookSoon());
  }

  /** Takes what changed since the last look, and sets the time of the next one. */
  async look(): Promise<void> {
    this.#looking = true;
    this.#soon = false;
    try {
      const folders = await foldersOf(this.#options.files);
      const stamp = await stampTlsFiles(this.#options.files);
      if (this.#closed) return;
      this.#watch.follow(folders);
      // What was refused is judged again: time alone can make it good.
      if (stamp !== this.#stamp || this.#refused !== undefined) await this.#take();
      this.#stamp = stamp;
    } finally {
      this.#looking = false;
      this.#schedule(pollMs);
      if (this.#again) this.#lookSoon();
      this.#again = false;
    }
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    this.#watch.close();
  }

  async #take(): Promise<void> {
    const found = await readAndJudge(this.#options).catch((thrown: unknown) => refusedFor(thrown, undefined));
    if (this.#closed) return;
    const refused = found.kind === 'refused' ? found : this.#renew(found);
    const before = this.#refused;
    this.#refused = refused;
    if (refused !== undefined && (before?.why !== refused.why || !sameTexts(before.texts, refused.texts)))
      this.#events.onRefused(refused.why);
  }

  /** Undefined where the files are in force now. */
  #renew(found: Usable): Refused | undefined {
    if (sameTexts(found.texts, this.#inForce.texts)) return undefined;
    try {
      this.#events.onRenewed(found.judged);
    } catch (thrown) {
      return refusedFor(thrown, found.texts);
    }
    this.#inForce = found;
    return undefined;
  }

  /** A folder in which something happens all the time does not put the look off for ever. */
  #lookSoon(): void {
    if (this.#looking) this.#again = true;
    if (this.#looking || this.#soon) return;
    this.#soon = true;
    this.#schedule(settleMs);
  }

  #schedule(delayMs: number): void {
    this.#cancelTimer();
    if (!this.#closed) this.#cancelTimer = this.#options.timers.after(delayMs, () => void this.look());
  }
}

/** Only what we wrote ourselves may be told: other errors may quote what they stumbled over. */
function refusedFor(thrown: unknown, texts: TlsTexts | undefined): Refused {
  return {
    kind: 'refused',
    texts,
    why: thrown instanceof Failure ? thrown.message : 'the files could not be taken into use',
  };
}

function sameTexts(a: TlsTexts | undefined, b: TlsTexts | undefined): boolean {
  return a?.certificate === b?.certificate && a?.key === b?.key && a?.clientCa === b?.clientCa;
}
