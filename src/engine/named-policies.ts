import type { Steps } from '../std/steps.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { withEntries, type PolicyChange } from './host-table.ts';
import { partOf } from './policy-part.ts';

/** The policies that are attached by name, by that name, with these in the places of others. */
export function* changeNamed(
  named: ReadonlyMap<string, CompiledPolicy>,
  changes: readonly PolicyChange[],
): Steps<ReadonlyMap<string, CompiledPolicy>> {
  const next = new Map<string, CompiledPolicy | undefined>();
  for (const { before, after } of changes) {
    if (before?.attachment === 'Named') next.set(before.id, undefined);
    if (after?.attachment !== 'Named') continue;
    next.set(after.id, after);
    // Here, so that no request has to wait for it.
    partOf(after);
    yield;
  }
  return withEntries(named, next);
}
