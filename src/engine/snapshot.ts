import type { OwnedHeaders } from '../phases/response/compile-upstream.ts';
import type { GrantSetting } from '../policy/check-hosts.ts';
import type { RouteSpec } from '../policy/spec.ts';
import type { Steps } from '../std/steps.ts';
import { changeAttachments, type Attachments } from './attachments.ts';
import type { CompiledFloor } from './floor.ts';
import { changeOwned, type OwnedNamespace } from './owned-namespaces.ts';
import type { CompiledChange } from './policy-compiler.ts';

/** Everything that decisions read, immutable: a new one is built beside it and swapped in with one pointer (promise 4). */
export interface Snapshot {
  /** From 1, up by one with every snapshot. */
  readonly revision: number;
  /** Which policies stand over a request. */
  readonly attachments: Attachments;
  /** By their names. */
  readonly floors: readonly CompiledFloor[];
  readonly shadowFloors: readonly CompiledFloor[];
  /** The headers that only we set, by namespace (S26). */
  ownedBy(namespace: string): OwnedHeaders;
  readonly ownedNamespaces: ReadonlyMap<string, OwnedNamespace>;
}

export interface SnapshotSettings {
  /** The operator's, for every namespace. */
  readonly ownedHeaders: OwnedHeaders;
  readonly grants: GrantSetting;
}

/** What is new since the snapshot before. */
export interface SnapshotChange {
  readonly policies: readonly CompiledChange[];
  /** Keys of routes that are new, others or gone. */
  readonly routes: ReadonlySet<string>;
  readonly routeOf: (key: string) => RouteSpec | undefined;
}

/** Builds the next snapshot, taking over from `before` what did not change. */
export function* buildSnapshot(
  before: Snapshot | undefined,
  change: SnapshotChange,
  { ownedHeaders, grants }: SnapshotSettings,
): Steps<Snapshot> {
  const policies = change.policies.flatMap((one) => (one.kind === 'policy' ? [one] : []));
  const ownedNamespaces = changeOwned(before?.ownedNamespaces ?? new Map(), policies, ownedHeaders);
  const floors = changeFloors([...(before?.floors ?? []), ...(before?.shadowFloors ?? [])], change.policies);
  return {
    revision: (before?.revision ?? 0) + 1,
    attachments:
      before !== undefined && policies.length + change.routes.size === 0
        ? before.attachments
        : yield* changeAttachments(before?.attachments, { ...change, policies }, grants),
    floors: floors.filter(({ mode }) => mode === 'Enforce'),
    shadowFloors: floors.filter(({ mode }) => mode === 'Shadow'),
    ownedBy: (namespace) => ownedNamespaces.get(namespace)?.headers ?? ownedHeaders,
    ownedNamespaces,
  };
}

function changeFloors(floors: readonly CompiledFloor[], changes: readonly CompiledChange[]): readonly CompiledFloor[] {
  const changed = changes.flatMap((change) => (change.kind === 'floor' ? [change] : []));
  if (changed.length === 0) return floors;
  const gone = new Set(changed.map(({ before }) => before));
  const added = changed.flatMap(({ after }) => after ?? []);
  return [...floors.filter((floor) => !gone.has(floor)), ...added].sort((a, b) => (a.id < b.id ? -1 : 1));
}
