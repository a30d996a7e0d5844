import { ownHeaders, type OwnedHeaders } from '../phases/response/compile-upstream.ts';
import { createAttachments, type Attachments } from './attachments.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import type { CompiledFloor } from './floor.ts';

/** Everything that decisions read, immutable: a new one is built beside it and swapped in with one pointer (promise 4). */
export interface Snapshot {
  /** From 1, up by one with every snapshot. */
  readonly revision: number;
  /** Which policies stand over a request. */
  readonly attachments: Attachments;
  readonly floors: readonly CompiledFloor[];
  readonly shadowFloors: readonly CompiledFloor[];
  /** The headers that only we set, by namespace (S26). */
  ownedBy(namespace: string): OwnedHeaders;
  readonly ownedNamespaces: ReadonlyMap<string, OwnedHeaders>;
}

export interface SnapshotParts {
  readonly policies: readonly CompiledPolicy[];
  readonly floors: readonly CompiledFloor[];
  /** The operator's, for every namespace; lower case. */
  readonly ownedHeaders: readonly string[];
}

/** Builds the next snapshot, taking over from `before` what did not change. */
export function buildSnapshot(parts: SnapshotParts, before: Snapshot | undefined): Snapshot {
  const enforced = parts.policies.filter(({ mode }) => mode === 'Enforce');
  const ownedNamespaces = ownedByNamespace(enforced, parts.ownedHeaders, before);
  const byOperator = ownHeaders(parts.ownedHeaders);
  return {
    revision: (before?.revision ?? 0) + 1,
    attachments: createAttachments(parts.policies, before?.attachments),
    floors: parts.floors.filter(({ mode }) => mode === 'Enforce'),
    shadowFloors: parts.floors.filter(({ mode }) => mode === 'Shadow'),
    ownedBy: (namespace) => ownedNamespaces.get(namespace) ?? byOperator,
    ownedNamespaces,
  };
}

function ownedByNamespace(
  enforced: readonly CompiledPolicy[],
  byOperator: readonly string[],
  before: Snapshot | undefined,
): ReadonlyMap<string, OwnedHeaders> {
  const names = new Map<string, Set<string>>();
  for (const policy of enforced) {
    const known = names.get(policy.namespace) ?? new Set(byOperator);
    for (const name of policy.setsHeaders) known.add(name);
    names.set(policy.namespace, known);
  }
  const owned = new Map<string, OwnedHeaders>();
  for (const [namespace, set] of names) {
    const known = before?.ownedNamespaces.get(namespace);
    owned.set(namespace, known !== undefined && sameNames(known.names, set) ? known : ownHeaders(set));
  }
  return owned;
}

function sameNames(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((name) => b.has(name));
}
