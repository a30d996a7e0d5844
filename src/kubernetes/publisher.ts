import type { DocumentStatus, MissingMaterial, ProviderCondition } from '../core/status.ts';
import { suggestProviders } from '../policy/suggest-providers.ts';
import type { ClusterDocument } from './cluster-document.ts';
import { keysNeeded, type Agreements, type ReferenceReading } from './conditions.ts';
import { createEventRecorder } from './event-recorder.ts';
import { inSlices } from './in-slices.ts';
import { hasNoKeys } from './judge-references.ts';
import { createLeaderElection } from './leader-election.ts';
import type { ReflectedChange } from './reflected-store.ts';
import type { ReflectorPorts } from './reflector.ts';
import { repeat } from './repeat.ts';
import { createReplicaLease, type ReplicaLease } from './replica-lease.ts';
import { createReplicas, type Replica } from './replicas.ts';
import {
  changedPlaces,
  compareServed,
  createServedDigest,
  type DigestTexts,
  type ServedDigest,
} from './served-digest.ts';
import { createStatusWriter } from './status-writer.ts';

export interface PublisherOptions {
  /** Of the service. */
  readonly namespace: string;
  /** The name of the Lease of the leader; replicas of one installation share it. */
  readonly leaseName: string;
  /** Who we are among them. */
  readonly identity: string;
  readonly documentStatus: (key: string) => DocumentStatus | undefined;
  readonly providerCondition: (key: string) => ProviderCondition | undefined;
  readonly missingMaterials: (key: string) => readonly MissingMaterial[];
  readonly providersOf: (key: string) => readonly string[];
  readonly readingOf: (key: string) => ReferenceReading;
  readonly unreadableOf: (key: string) => string | undefined;
  /** True where no policy changes an answer (`serve --shadow-all`). */
  readonly isShadowAll: boolean;
  readonly ports: ReflectorPorts;
}

/** Says in the cluster what is in force: a Lease for this replica, and by the leader status and Events. */
export interface Publisher {
  /** Objects came, changed or are gone. */
  note(change: ReflectedChange<ClusterDocument>): void;
  /** What is in force of these documents is different. */
  changed(keys: Iterable<string>): void;
  /** Something that documents refer to was read, or refused. */
  referenceRead(): void;
  /** Gives back what others wait for; never rejects. */
  close(): Promise<void>;
}

/** Keys come and go, and routes cannot be read, without a document having changed. */
const agingMs = 20_000;
/** References that are read together are looked at together. */
const gatherMs = 50;

export function createPublisher(options: PublisherOptions): Publisher {
  const { namespace, leaseName, identity, ports, documentStatus } = options;
  const digest = createServedDigest();
  const providers = new Set<string>();
  /** Policies that are attached to routes. */
  const attached = new Set<string>();
  const replicas = createReplicas({
    namespace,
    group: leaseName,
    ports,
    onChange: () => writer.look(lookAt(seen, replicas.all(), digest)),
    mayDelete: () => election.leads(),
  });
  const seen = new Map<string, DigestTexts>();
  // Before the first load it serves nobody: counted among the others it would make every document look as if it were on its way.
  let lease: ReplicaLease | undefined;
  let isClosed = false;
  const onElection = (leads: boolean): void => void (leads && writer.look());
  const election = createLeaderElection({ namespace, name: leaseName, identity, ports, onChange: onElection });
  const agreements = (key: string): Agreements => countAgreements(key, digest, replicas.all(), identity);
  const writer = createStatusWriter({
    facts: { ...options, documentStatus: (key) => suggestWithin(documentStatus(key), providers), agreements },
    events: createEventRecorder(ports, identity),
    ports,
    leads: () => election.leads(),
  });
  const haveOthersKeys = createKeyWatch(providers, options.providerCondition);
  const aging = repeat(ports.timers, async () => {
    writer.look(haveOthersKeys() ? undefined : [...providers, ...attached]);
    return agingMs;
  });
  const sum = (key: string): void => {
    const status = documentStatus(key);
    digest.set(key, servedOf(status));
    keep(attached, key, hasTargets(status));
  };
  return {
    note: ({ removed, changed }) => {
      for (const { document } of removed) writer.note(document.source, undefined);
      for (const object of changed) writer.note(object.document.source, object);
      for (const { document } of removed) providers.delete(document.source);
      for (const { document, kind } of changed) keep(providers, document.source, kind.endsWith('IdentityProvider'));
    },
    changed: (keys) => {
      const all = [...keys];
      void inSlices(all, sum, ports).then(() => {
        if (isClosed) return;
        lease ??= createReplicaLease({ namespace, group: leaseName, identity, texts: () => digest.texts(), ports });
        lease.publish();
        writer.look(all);
      });
    },
    referenceRead: () => aging.within(gatherMs),
    close: async () => {
      isClosed = true;
      replicas.close();
      await Promise.all([aging.close(), writer.close(), election.close(), lease?.close()]);
    },
  };
}

/** As `validate` says it, but of providers of its own namespace and of the cluster alone: the names of others are not its namespace's to know. */
function suggestWithin(status: DocumentStatus | undefined, providers: ReadonlySet<string>): DocumentStatus | undefined {
  if (!status?.problems.some(({ reference }) => reference !== undefined)) return status;
  const own = `IdentityProvider ${status.namespace}/`;
  const known = [...providers].filter((key) => key.startsWith(own) || key.startsWith('ClusterIdentityProvider '));
  return { ...status, problems: suggestProviders(status.problems, known) };
}

/** True where other providers than the last time have no usable keys: the policies that use them say so, and nobody else tells these. */
function createKeyWatch(
  providers: ReadonlySet<string>,
  conditionOf: PublisherOptions['providerCondition'],
): () => boolean {
  let unusable = '';
  return () => {
    const before = unusable;
    unusable = [...providers].filter((key) => isUnusable(conditionOf(key))).join();
    return unusable !== before;
  };
}

function isUnusable(condition: ProviderCondition | undefined): boolean {
  return condition !== undefined && hasNoKeys({ keys: keysNeeded(condition), lastError: condition.lastError });
}

function keep(set: Set<string>, key: string, isIn: boolean): void {
  if (isIn) set.add(key);
  else set.delete(key);
}

function hasTargets(status: DocumentStatus | undefined): boolean {
  return status !== undefined && status.targets.length > 0;
}

function servedOf(status: DocumentStatus | undefined): Parameters<ServedDigest['set']>[1] {
  if (status?.version === undefined) return undefined;
  const { uid, generation } = status.version;
  return { uid, generation, served: status.servedGeneration };
}

/** Which documents may stand otherwise, since the replicas say what they say; undefined: all, because others live than before. */
function lookAt(
  seen: Map<string, DigestTexts>,
  replicas: readonly Replica[],
  digest: ServedDigest,
): readonly string[] | undefined {
  const places = new Set<number>();
  const isSameSet = replicas.length === seen.size && replicas.every(({ identity }) => seen.has(identity));
  for (const replica of replicas) {
    const before = seen.get(replica.identity);
    if (before !== undefined) for (const place of changedPlaces(before, replica)) places.add(place);
  }
  seen.clear();
  for (const replica of replicas) seen.set(replica.identity, replica);
  return isSameSet ? digest.keysIn(places) : undefined;
}

function countAgreements(
  key: string,
  digest: ServedDigest,
  replicas: readonly Replica[],
  identity: string,
): Agreements {
  const ours = digest.get(key);
  const others = replicas.filter((replica) => replica.identity !== identity);
  const said = others.map((other) =>
    ours === undefined ? 'pending' : compareServed(key, ours, digest.texts(), other),
  );
  const of = (what: (typeof said)[number]): number => said.filter((one) => one === what).length;
  return { agreeing: 1 + of('agrees'), pending: of('pending'), disagreeing: of('disagrees') };
}
