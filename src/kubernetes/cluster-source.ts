import type { AuthorDocument, MaterialRef, SourceChange } from '../policy/spec.ts';
import { createChangeQueue } from './change-queue.ts';
import { createDocumentLanes, type HeavyParser } from './document-lanes.ts';
import { createDocumentTaker } from './document-taker.ts';
import { inTime } from './in-time.ts';
import { toClusterDocument, type ClusterDocument } from './cluster-document.ts';
import { ourKinds, policyCollection, type Collection, type OurKind } from './collection.ts';
import type { ReferenceReading } from './conditions.ts';
import { createReferenceFollower } from './reference-follower.ts';
import type { ReflectedChange } from './reflected-store.ts';
import {
  createReflector,
  type Reflector,
  type ReflectorPorts,
  type ReflectorState,
  type ReflectorTiming,
} from './reflector.ts';
import { createUnroutedGate, type UnroutedSink } from './unrouted-gate.ts';

export interface ClusterSourceOptions {
  readonly scope: ClusterScope;
  readonly sink: DocumentSink;
  readonly ports: ReflectorPorts;
  readonly timing?: Partial<ReflectorTiming>;
  /** How long the start waits for Secrets and ConfigMaps that documents refer to, milliseconds. */
  readonly materialTimeoutMs: number;
  /** Told of every object of ours as it comes, for whoever writes status. */
  readonly onObject?: (change: ReflectedChange<ClusterDocument>) => void;
  /** Told when the server said for the first time what there is of something that documents refer to. */
  readonly onReference?: () => void;
}

/** What of the cluster is read. */
export interface ClusterScope {
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** Selects AccessPolicies; empty: all. Floors and providers are never left out by it. */
  readonly policySelector: string;
  /** False: ClusterAccessPolicies and ClusterIdentityProviders are not read. */
  readonly clusterKinds: boolean;
}

/** Who takes the documents. */
export interface DocumentSink extends UnroutedSink, HeavyParser {
  /** The change is coming: what it may not wait for holds up nothing until the returned function is called. */
  hasten(change: SourceChange): () => void;
  /** The Secrets, ConfigMaps and routes that the document refers to. */
  referencesOf(document: AuthorDocument): readonly MaterialRef[];
  /** What the version in force of the document refers to, and a newer one that was refused; by its source. */
  referencesInForce(source: string): readonly MaterialRef[];
}

export interface ClusterSource {
  /** Resolves once everything was read for the first time and is in force. */
  readonly ready: Promise<void>;
  /** Told of what stands otherwise by now, by the keys that the engine tells. */
  stood(keys: Iterable<string>): void;
  /** When the server last confirmed what we have, milliseconds since the epoch; undefined before it did. */
  confirmedAt(): number | undefined;
  /** One a collection: whether it is followed. */
  states(): readonly ReflectorState[];
  /** How far something that documents refer to could be read, by its key. */
  readingOf(key: string): ReferenceReading;
  /** Which of the things that the document refers to cannot be read now, and why; undefined where all can. */
  unreadableOf(source: string): string | undefined;
  close(): void;
}

/** How long the start waits for documents that take long to parse, milliseconds: those of one namespace must not keep out everybody. */
const startPatienceMs = 5000;

/**
 * Follows the policies and providers of a cluster, and of Secrets, ConfigMaps and routes only those that they refer to. Nothing is handed on before
 * all kinds were read once: half of the policies would decide differently. What is referred to is handed on beside the documents, so that a Secret
 * that is gone waits for none of them, and with the document that newly refers to it, so that this one has it from the beginning.
 */
export function createClusterSource(options: ClusterSourceOptions): ClusterSource {
  const { sink, ports, timing = {}, materialTimeoutMs } = options;
  const gate = createUnroutedGate(sink);
  const hasten = (change: SourceChange): (() => void) => sink.hasten(change);
  const referred = createChangeQueue({
    take: (change) => gate.apply(change, references.unreserved()),
    hasten,
    ports,
  });
  const references = createReferenceFollower({
    ports,
    timing,
    onChange: (change) => referred.add(change),
    onAnswered: () => {
      options.onReference?.();
      taker.reviewGate();
    },
  });
  const taker = createDocumentTaker({ gate, references, referred, sink, ports, materialTimeoutMs });
  const documents = createChangeQueue({ take: (change) => taker.take(change), hasten, ports });
  const lanes = createDocumentLanes(sink, (change) => documents.add(change));
  const reflectors = followDocuments(options, (change) => lanes.add(change));
  return {
    ready: Promise.all(reflectors.map(({ synced }) => synced))
      .then(() => inTime(lanes.emptied(), startPatienceMs, ports.timers))
      .then(() => lanes.handOnUnread())
      .then(() => documents.open())
      .then(() => referred.open()),
    stood: (keys) => taker.stood(keys),
    confirmedAt: () => oldestOf(reflectors, references.reflectors()),
    states: () => [...reflectors, ...references.reflectors()].map((reflector) => reflector.state()),
    readingOf: (key) => references.readingOf(key),
    unreadableOf: (source) => references.unreadableOf(source),
    close: () => {
      lanes.close();
      for (const reflector of reflectors) reflector.close();
      references.close();
    },
  };
}

/** One a collection, each telling what became of its documents. */
function followDocuments(
  { scope, ports, timing = {}, onObject }: ClusterSourceOptions,
  onChange: (change: SourceChange) => void,
): readonly Reflector[] {
  return collectionsOf(scope).map(({ kind, collection }) =>
    createReflector({
      collection,
      convert: (object, meta, known: ClusterDocument | undefined) => toClusterDocument(object, meta, kind, known),
      onChange: (change) => {
        onObject?.(change);
        onChange({
          removed: change.removed.map(({ document }) => document),
          changed: change.changed.map(({ document }) => document),
        });
      },
      ports,
      timing,
    }),
  );
}

function collectionsOf({
  namespaces,
  policySelector,
  clusterKinds,
}: ClusterScope): readonly { readonly kind: OurKind; readonly collection: Collection }[] {
  return ourKinds.flatMap((kind) => {
    const selector = kind === 'AccessPolicy' ? policySelector : '';
    if (kind.startsWith('Cluster'))
      return clusterKinds ? [{ kind, collection: policyCollection(kind, undefined, selector) }] : [];
    if (namespaces.length === 0) return [{ kind, collection: policyCollection(kind, undefined, selector) }];
    return [...new Set(namespaces)].map((namespace) => ({
      kind,
      collection: policyCollection(kind, namespace, selector),
    }));
  });
}

/** Keys out of a ConfigMap that cannot be followed any more grow old too; one that never could be gave none. */
function oldestOf(documents: readonly Reflector[], materials: readonly Reflector[]): number | undefined {
  const times = documents.map((reflector) => reflector.state().confirmedAt);
  if (times.includes(undefined)) return undefined;
  const all = [...times, ...materials.map((reflector) => reflector.state().confirmedAt)];
  return Math.min(...all.flatMap((time) => time ?? []));
}
