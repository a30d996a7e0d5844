import type { TargetStatus } from '../core/status.ts';
import { specKey } from '../policy/spec-name.ts';
import type { RouteSpec, TargetSpec } from '../policy/spec.ts';
import { isPolicy, type CatalogEntry } from './catalog-entry.ts';

/** The routes that the newest version of a policy is attached to, as far as they can be read, and whether they are there. */
export function targetStatuses(
  entry: CatalogEntry,
  route: (key: string) => RouteSpec | undefined,
): readonly TargetStatus[] {
  const { namespace, targets } = newestTargets(entry);
  return targets.map(({ kind, name, section }) => {
    const found = route(specKey({ kind, namespace, name }));
    const { sections = [], parents = [] } = found ?? {};
    const isMissing = section !== '' && !sections.includes(section);
    return {
      kind,
      namespace,
      name,
      section,
      found: found === undefined ? 'no-route' : isMissing ? 'no-section' : 'found',
      parents,
    };
  });
}

const none: { readonly namespace: string; readonly targets: readonly TargetSpec[] } = { namespace: '', targets: [] };

function newestTargets({ refused, lastGood }: CatalogEntry): typeof none {
  if (refused !== undefined) return refused.policy ?? none;
  return lastGood !== undefined && isPolicy(lastGood) && lastGood.kind === 'AccessPolicy' ? lastGood : none;
}

/** The keys of the routes that any version of the entry is attached to. */
export function targetedRoutes(entry: CatalogEntry | undefined): readonly string[] {
  if (entry === undefined) return [];
  const { refused, lastGood } = entry;
  const policies = [refused?.policy, lastGood?.kind === 'AccessPolicy' ? lastGood : undefined];
  const keys = policies.flatMap((policy) =>
    (policy?.targets ?? []).map(({ kind, name }) => specKey({ kind, namespace: policy?.namespace ?? '', name })),
  );
  return keys.length < 2 ? keys : [...new Set(keys)];
}
