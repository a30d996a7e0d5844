import type { HttpLimits } from '../../core/ports.ts';
import type { RevocationListReading } from '../../core/revocation.ts';
import type { ProviderCondition } from '../../core/status.ts';
import type { MetricSnapshot } from '../../observe/merge-metrics.ts';
import type { Problem } from '../../core/problem.ts';
import type { Config } from '../config/settings.ts';
import type { DocumentWire } from './document-wire.ts';
import type { ListReadState } from './received-list.ts';

/** What goes between the watcher and a worker is plain data that survives structuredClone, and arrives in its order. */
export type ToWorker =
  | StartMessage
  | { readonly kind: 'documents'; readonly documents: readonly DocumentWire[] }
  | RevisionMessage
  /** A change is coming: nobody whom it may not wait for is waited for until `hastened` says the same number. */
  | { readonly kind: 'hasten'; readonly number: number; readonly change: DocumentHeads }
  | { readonly kind: 'hastened'; readonly number: number }
  /** Entries of the shared list of revocations, each with its end. */
  | { readonly kind: 'revoked'; readonly entries: readonly (readonly [entry: string, expiresAt: number])[] }
  /** What became of the list of revocations that the watcher reads in the cluster. */
  | { readonly kind: 'listed'; readonly news: ListNews }
  /** Asks for `passed` once all that came before is in force. */
  | { readonly kind: 'pass'; readonly number: number }
  /** Each second, and answered at once with its number. `sent`: the last revision that was sent. */
  | { readonly kind: 'pulse'; readonly number: number; readonly sent: number; readonly revoked: ListReadState }
  | { readonly kind: 'answer'; readonly number: number; readonly answer: WatcherAnswer }
  | { readonly kind: 'serving'; readonly isServing: boolean }
  /** Beside it comes the connection. */
  | { readonly kind: 'connection'; readonly number: number }
  | { readonly kind: 'measure'; readonly number: number }
  | { readonly kind: 'drain'; readonly timeoutMs: number }
  | { readonly kind: 'end' };

export interface StartMessage {
  readonly kind: 'start';
  /** From 1: how the worker is called in logs. */
  readonly worker: number;
  readonly config: Config;
  /** What DPoP nonces are made with: one key for all workers. */
  readonly dpopNonceKey: Uint8Array;
}

/** The revision with the documents that came since the one before. */
export interface RevisionMessage {
  readonly kind: 'revision';
  /** From 1, without a gap but where it is whole. */
  readonly number: number;
  /** True where it is all that there is, and takes the place of everything before. */
  readonly isWhole: boolean;
  /** Of a source that is read as a whole (a folder). */
  readonly reading: ReadingWire | undefined;
  /** True where a source that tells what changed has done so; false where only `closed` is another. */
  readonly hasObjects: boolean;
  readonly removed: readonly DocumentHead[];
  /** The namespaces that are closed to checks without a route, from this revision on. */
  readonly closed: readonly string[];
}

export interface ReadingWire {
  /** The documents in their order: the place of each among those of the reading before, or -1 for the next of those that came with it. */
  readonly order: readonly number[];
  readonly problems: readonly Problem[];
  readonly unreadable: readonly string[];
}

/** A document by its name alone. */
export interface DocumentHead {
  readonly source: string;
  readonly reference: string | undefined;
}

export interface DocumentHeads {
  readonly changed: readonly DocumentHead[];
  readonly removed: readonly DocumentHead[];
}

export type ListNews =
  /** `ageMs` ago it was last found to be so. */
  | { readonly kind: 'read'; readonly reading: RevocationListReading; readonly ageMs: number }
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'failed'; readonly why: string };

export type ToWatcher =
  /** It takes connections from now on. */
  | { readonly kind: 'started' }
  /** It cannot start. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** The revision is in force. `isTaken` false: not all of it could be taken in, for a bug. */
  | { readonly kind: 'acknowledged'; readonly number: number; readonly isTaken: boolean }
  /** A revision is missing: everything is to be sent anew. */
  | { readonly kind: 'lost'; readonly received: number }
  | { readonly kind: 'passed'; readonly number: number }
  | { readonly kind: 'pulse'; readonly number: number }
  /** Each second, by itself: it lives, however much it has to do. */
  | { readonly kind: 'beat' }
  | { readonly kind: 'question'; readonly number: number; readonly question: WorkerQuestion }
  /** What its providers say of themselves, and for which policies checks came that do not say which route the proxy chose. */
  | {
      readonly kind: 'report';
      readonly providers: readonly ProviderCondition[] | undefined;
      readonly unrouted: readonly string[];
    }
  /** It has the connection; nothing that came by it is answered before this is on its way. */
  | { readonly kind: 'taken'; readonly number: number }
  /** A connection that was handed over has ended. */
  | { readonly kind: 'closed' }
  | { readonly kind: 'measured'; readonly number: number; readonly metrics: readonly MetricSnapshot[] }
  /** No connection is left. */
  | { readonly kind: 'drained'; readonly metrics: readonly MetricSnapshot[] };

/** What one process has to do for all. */
export type WorkerQuestion =
  | { readonly kind: 'remember'; readonly key: string; readonly ttlMs: number }
  | { readonly kind: 'get' | 'recall'; readonly url: string; readonly limits: HttpLimits };

export type WatcherAnswer =
  | { readonly kind: 'remembered'; readonly isFirst: boolean }
  | { readonly kind: 'body'; readonly body: Uint8Array; readonly ageMs: number }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'failure'; readonly code: string; readonly message: string };
