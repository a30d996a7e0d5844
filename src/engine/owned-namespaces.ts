import { ownHeaders, type OwnedHeaders } from '../phases/response/compile-upstream.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { withEntries, type PolicyChange } from './host-table.ts';

/** The headers that only we set in one namespace (S26), with the number of policies that set each. */
export interface OwnedNamespace {
  readonly counts: ReadonlyMap<string, number>;
  readonly headers: OwnedHeaders;
}

/** The owned headers by namespace, with these policies in the places of others. What stays the same is the same object. */
export function changeOwned(
  namespaces: ReadonlyMap<string, OwnedNamespace>,
  changes: readonly PolicyChange[],
  byOperator: OwnedHeaders,
): ReadonlyMap<string, OwnedNamespace> {
  const counts = new Map<string, Map<string, number>>();
  const count = (policy: CompiledPolicy | undefined, by: 1 | -1): void => {
    if (policy === undefined || policy.mode !== 'Enforce') return;
    const known = counts.get(policy.namespace) ?? new Map(namespaces.get(policy.namespace)?.counts);
    counts.set(policy.namespace, known);
    for (const name of policy.setsHeaders) known.set(name, (known.get(name) ?? 0) + by);
  };
  for (const { before, after } of changes) {
    if (sameHeaders(before, after)) continue;
    count(before, -1);
    count(after, 1);
  }
  const next = new Map<string, OwnedNamespace | undefined>();
  for (const [namespace, counted] of counts) {
    for (const [name, policies] of counted) if (policies === 0) counted.delete(name);
    if (counted.size === 0) {
      next.set(namespace, undefined);
      continue;
    }
    const names = new Set([...byOperator.names, ...counted.keys()]);
    const known = namespaces.get(namespace)?.headers;
    const isSame =
      known !== undefined && known.names.size === names.size && [...names].every((n) => known.names.has(n));
    next.set(namespace, { counts: counted, headers: isSame ? known : ownHeaders(names) });
  }
  return withEntries(namespaces, next);
}

function sameHeaders(a: CompiledPolicy | undefined, b: CompiledPolicy | undefined): boolean {
  const [one, other] = [a, b].map((policy) => (policy?.mode === 'Enforce' ? policy.setsHeaders : []));
  const isSamePlace = a === undefined || b === undefined || a.namespace === b.namespace;
  return isSamePlace && JSON.stringify(one) === JSON.stringify(other);
}
