import { ownHeaders, type OwnedHeaders } from '../phases/response/compile-upstream.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { createHostTable, type HostTable } from './host-table.ts';

/** Everything that decisions read, immutable: a new one is built beside it and swapped in with one pointer (promise 4). */
export interface Snapshot {
  /** From 1, up by one with every snapshot. */
  readonly revision: number;
  readonly hosts: HostTable;
  /** Names of refused cluster policies: what they restrict is not known, so every request is denied. */
  readonly refusedFloors: readonly string[];
  /** The headers that only we set, by namespace (S26). */
  ownedBy(namespace: string): OwnedHeaders;
  readonly ownedNamespaces: ReadonlyMap<string, OwnedHeaders>;
}

export interface SnapshotParts {
  readonly policies: readonly CompiledPolicy[];
  readonly refusedFloors: readonly string[];
  /** The operator's, for every namespace; lower case. */
  readonly ownedHeaders: readonly string[];
}

/** Builds the next snapshot, taking over from `before` what did not change. */
export function buildSnapshot(parts: SnapshotParts, before: Snapshot | undefined): Snapshot {
  const names = new Map<string, Set<string>>();
  for (const policy of parts.policies) {
    const known = names.get(policy.namespace) ?? new Set(parts.ownedHeaders);
    for (const name of policy.setsHeaders) known.add(name);
    names.set(policy.namespace, known);
  }
  const ownedNamespaces = new Map<string, OwnedHeaders>();
  for (const [namespace, owned] of names) {
    const known = before?.ownedNamespaces.get(namespace);
    ownedNamespaces.set(namespace, known !== undefined && sameNames(known.names, owned) ? known : ownHeaders(owned));
  }
  const byOperator = ownHeaders(parts.ownedHeaders);
  return {
    revision: (before?.revision ?? 0) + 1,
    hosts: createHostTable(parts.policies, before?.hosts),
    refusedFloors: parts.refusedFloors,
    ownedBy: (namespace) => ownedNamespaces.get(namespace) ?? byOperator,
    ownedNamespaces,
  };
}

function sameNames(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((name) => b.has(name));
}
