import type { ProviderCondition } from '../../core/status.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Fleet } from './fleet.ts';
import { mergeConditions } from './merge-conditions.ts';
import { headOf, type PolicyState } from './policy-state.ts';
import type { RevocationRelay } from './revocation-relay.ts';

export interface WatchedEngineOptions {
  /** That of the watcher: it judges and says what is in force, and answers no check. */
  readonly own: Engine;
  readonly fleet: Fleet;
  readonly state: PolicyState;
  readonly relay: RevocationRelay;
}

/**
 * The engine of a service whose checks are answered by workers. Every change is in force at all of them before the watcher's own engine takes it
 * in: so whatever is said of what is in force (status, readiness, what replicas publish) all of them serve already.
 */
export function createWatchedEngine({ own, fleet, state, relay }: WatchedEngineOptions): Engine {
  let closed = '';
  let hurries = 0;
  const merge = (condition: ProviderCondition): ProviderCondition =>
    mergeConditions(condition, fleet.conditionsOf(condition.key));
  const hasten: Engine['hasten'] = ({ changed, removed }) => {
    const number = ++hurries;
    const end = own.hasten({ changed, removed });
    fleet.tell({ kind: 'hasten', number, change: { changed: changed.map(headOf), removed: removed.map(headOf) } });
    return () => {
      fleet.tell({ kind: 'hastened', number });
      end();
    };
  };
  return {
    ...own,
    apply: async (reading) => {
      await fleet.push(state.read(reading));
      return own.apply(reading);
    },
    applyChange: async (change) => {
      await fleet.push(state.change(change));
      return own.applyChange(change);
    },
    hasten,
    closeUnrouted: (namespaces) => {
      own.closeUnrouted(namespaces);
      const now = JSON.stringify([...namespaces].toSorted());
      if (now !== closed) void fleet.push(state.close(namespaces));
      closed = now;
    },
    status: () => {
      const status = own.status();
      return { ...status, providers: status.providers.map(merge), workers: fleet.status() };
    },
    providerCondition: (key) => {
      const condition = own.providerCondition(key);
      return condition && merge(condition);
    },
    revocations: relay.relay(own.revocations),
  };
}
