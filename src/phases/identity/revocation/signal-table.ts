import type { IdentitySignals } from '../../../core/identity.ts';
import type { Clock } from '../../../core/ports.ts';
import type { Signal } from '../../../core/revocation.ts';
import type { CredentialNames } from './credential-names.ts';
import type { Room } from './room.ts';
import { scopeKey } from './scope-key.ts';
import { createTargetTable, type Ending, type TargetTable } from './target-table.ts';

/** What issuers have signalled of whom. */
export interface SignalTable {
  readonly size: number;
  /** False where there is no room for it; what was known before stays. Facts that hold until the contrary is said are kept for good. */
  add(signal: Signal, expiresAt: Ending): boolean;
  /** The facts of a credential, of each the newest; undefined where nobody has signalled any. */
  find(scopes: readonly string[], names: () => CredentialNames): IdentitySignals | undefined;
  sweep(count: number): void;
}

type Fact = Exclude<keyof IdentitySignals, 'worsenedAt'>;
const facts = ['riskLevel', 'assuranceLevel', 'deviceCompliance', 'accountDisabled'] as const satisfies readonly Fact[];

/** Each fact with the moment from which it is so, and when the last of them got worse. */
interface Known {
  readonly facts: ReadonlyMap<Fact, { readonly value: string | boolean; readonly at: number }>;
  readonly worsenedAt: number | undefined;
}

/** Whether an account is disabled is no state that passes: nothing else undoes it, however long ago it was said. */
export function isLasting({ facts: { accountDisabled } }: Signal): boolean {
  return accountDisabled !== undefined;
}

export function createSignalTable(room: Room, clock: Clock): SignalTable {
  const passing = createTargetTable<Known>(room, clock);
  const lasting = createTargetTable<Known>(room, clock);
  const put = (table: TargetTable<Known>, signal: Signal, expiresAt: Ending): boolean => {
    const { scope, target, value } = signal;
    return table.set(signal, withSignal(table.get(scopeKey(scope), target, value), signal), expiresAt);
  };
  return {
    get size() {
      return passing.size + lasting.size;
    },
    add: (signal, expiresAt) => (isLasting(signal) ? put(lasting, signal, undefined) : put(passing, signal, expiresAt)),
    find: (scopes, names) => {
      let found: Known | undefined;
      for (const table of [passing, lasting]) {
        for (const scope of scopes) {
          if (!table.has(scope)) continue;
          for (const [target, value] of names().names) {
            const known = table.get(scope, target, value);
            if (known !== undefined) found = found === undefined ? known : newestOf(found, known);
          }
        }
      }
      return found && toSignals(found);
    },
    sweep: (count) => {
      passing.sweep(count);
      lasting.sweep(count);
    },
  };
}

function withSignal(known: Known | undefined, signal: Signal): Known {
  const news = facts.flatMap((fact): [Fact, { value: string | boolean; at: number }][] => {
    const value = signal.facts[fact];
    return value === undefined ? [] : [[fact, { value, at: signal.at }]];
  });
  const fresh: Known = { facts: new Map(news), worsenedAt: signal.facts.worsenedAt };
  return known === undefined ? fresh : newestOf(known, fresh);
}

/** Of two of one moment the second, which came later. */
function newestOf(a: Known, b: Known): Known {
  const merged = new Map(a.facts);
  for (const [fact, { value, at }] of b.facts) {
    const other = merged.get(fact);
    if (other === undefined || at >= other.at) merged.set(fact, { value, at });
  }
  const worst = Math.max(a.worsenedAt ?? -Infinity, b.worsenedAt ?? -Infinity);
  return { facts: merged, worsenedAt: worst === -Infinity ? undefined : worst };
}

function toSignals({ facts: known, worsenedAt }: Known): IdentitySignals {
  const entries: [string, string | boolean | number][] = [...known].map(([fact, { value }]) => [fact, value]);
  if (worsenedAt !== undefined) entries.push(['worsenedAt', worsenedAt]);
  return Object.freeze(Object.fromEntries(entries));
}
