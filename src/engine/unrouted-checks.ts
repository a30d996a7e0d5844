import type { Clock } from '../core/ports.ts';

/** For which policies checks come whose proxy does not say which route it chose (S7). */
export interface UnroutedChecks {
  /** `policy` is `namespace/name`. */
  note(policy: string): void;
  /** True where one came within the last quarter of an hour. */
  isMissed(policy: string): boolean;
}

const memoryMs = 15 * 60_000;
/** Nobody reads of more: while as many are remembered, others are not, so that no check is news for thousands. */
const maxPolicies = 1000;

/** `tell` is called when the first check for a policy comes, not for those that follow; `onEach` for each. */
export function createUnroutedChecks(
  clock: Clock,
  tell: (policy: string) => void,
  onEach: (policy: string) => void = () => undefined,
): UnroutedChecks {
  const lastAt = new Map<string, number>();
  const isMissed = (policy: string): boolean => {
    const last = lastAt.get(policy);
    return last !== undefined && clock.monotonic() - last <= memoryMs;
  };
  return {
    isMissed,
    note: (policy) => {
      onEach(policy);
      const isKnown = isMissed(policy);
      lastAt.delete(policy);
      const [oldest] = lastAt.keys();
      if (lastAt.size >= maxPolicies && oldest !== undefined && !isMissed(oldest)) lastAt.delete(oldest);
      if (lastAt.size >= maxPolicies) return;
      lastAt.set(policy, clock.monotonic());
      if (!isKnown) tell(policy);
    },
  };
}
