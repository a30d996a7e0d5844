import type { Timers } from '../core/ports.ts';
import { apiVersion } from '../policy/parse-document.ts';
import type { ClusterDocument } from './cluster-document.ts';
import type { ConditionReason, ConditionVerdict } from './conditions.ts';
import { standingOf, type Transition } from './desired-status.ts';
import type { EventRecorder } from './event-recorder.ts';

/** Makes Events of transitions, but of those only that last. */
export interface TransitionTeller {
  /** Resolves when the Event is written, where there is one. Never rejects. */
  tell(object: ClusterDocument, transition: Transition): Promise<void>;
  /** What is held back is not told any more. */
  close(): void;
}

/** Where something is on its way, it mostly arrives within a moment: only what takes longer is told, milliseconds. */
export const patienceMs = 10_000;
const onTheWay: ReadonlySet<ConditionReason> = new Set(['Pending', 'TargetPending', 'RefPending']);

interface Held {
  /** What it was before it was on its way. */
  readonly was: string | undefined;
  readonly cancel: () => void;
}

/**
 * Holds back what says that something is on its way. Where in the end a condition is what it was before, there is no Event at all: every
 * change of a policy and every new replica would otherwise be two.
 */
export function createTransitionTeller(events: EventRecorder, timers: Timers): TransitionTeller {
  const held = new Map<string, Held>();
  const record = ({ kind, meta }: ClusterDocument, verdict: ConditionVerdict): Promise<void> =>
    events.record({ apiVersion, kind, meta }, toEvent(verdict));
  return {
    tell: async (object, transition) => {
      const key = `${object.meta.uid} ${transition.type}`;
      const known = held.get(key);
      known?.cancel();
      held.delete(key);
      const was = known === undefined ? transition.was : known.was;
      if (!onTheWay.has(transition.reason)) {
        if (was !== standingOf(transition)) await record(object, transition);
        return;
      }
      const cancel = timers.after(patienceMs, () => {
        held.delete(key);
        void record(object, transition);
      });
      held.set(key, { was, cancel });
    },
    close: () => {
      for (const { cancel } of held.values()) cancel();
      held.clear();
    },
  };
}

function toEvent({ type, status, reason, message }: ConditionVerdict): Parameters<EventRecorder['record']>[1] {
  const isGood = type === 'Conflicted' || type === 'Unrouted' ? status === 'False' : status === 'True';
  return {
    type: isGood || onTheWay.has(reason) ? 'Normal' : 'Warning',
    reason,
    message: `${type} is ${status}: ${message}`,
  };
}
