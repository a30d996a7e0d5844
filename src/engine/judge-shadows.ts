import type { Decision, ShadowVerdict } from '../core/decision.ts';
import type { ExpressionPlace, Logger, Timers } from '../core/ports.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import { limits } from '../expressions/limits.ts';
import { RequestScope } from '../expressions/scope.ts';
import { decide, type Check } from './decide.ts';
import { createMatchingBudget } from './find-matches.ts';
import { coversHost } from './floor.ts';
import type { Snapshot } from './snapshot.ts';

export interface ShadowPorts {
  readonly timers: Timers;
  readonly logger: Logger;
  /** As in CheckPorts. */
  readonly mayWait?: boolean;
}

/** A policy in shadow mode, and the check as it would be if that were enforced. */
export interface ShadowCheck {
  readonly policy: string;
  readonly check: Check;
}

/** A verdict of a shadow is worth waiting for only that long, milliseconds. */
const shadowPatienceMs = 20;

/**
 * What is to be judged beside the decision (S9), the floors first. All share what looking at matches and evaluating expressions may cost
 * one check, so that they hold it up for no longer than the decision may; that has its own.
 */
export function shadowChecks(
  { attachments, shadowFloors }: Pick<Snapshot, 'attachments' | 'shadowFloors'>,
  check: Check,
): readonly ShadowCheck[] {
  const { request, id, now, floors } = check;
  const covering = shadowFloors.filter((floor) => coversHost(floor, request.host));
  const policies = attachments.shadows(request);
  if (covering.length + policies.length === 0) return [];
  const noteFailure = (place: ExpressionPlace): void => check.expressions.noteFailure(place);
  const expressions = new RequestScope(request, id, now * 1000, noteFailure);
  const shared: Check = { ...check, isShadow: true, matching: createMatchingBudget(), expressions };
  return [
    ...covering.map((floor) => ({ policy: floor.id, check: { ...shared, floors: [...floors, floor] } })),
    ...policies.map(({ policy, group, reservedFor = check.reservedFor }) => ({
      policy,
      check: { ...shared, group, reservedFor },
    })),
  ];
}

/** What each would have decided, whatever happens to it: it changes nothing. At once where all of them decide at once. Never throws and never rejects. */
export function judgeShadows(
  shadows: readonly ShadowCheck[],
  ports: ShadowPorts,
): readonly ShadowVerdict[] | Promise<readonly ShadowVerdict[]> {
  const verdicts = shadows.map((shadow) => verdictOf(shadow, ports));
  return verdicts.every(isThere) ? verdicts : Promise.all(verdicts.map((verdict) => Promise.resolve(verdict)));
}

function isThere(verdict: ShadowVerdict | Promise<ShadowVerdict>): verdict is ShadowVerdict {
  return !(verdict instanceof Promise);
}

function verdictOf({ policy, check }: ShadowCheck, ports: ShadowPorts): ShadowVerdict | Promise<ShadowVerdict> {
  const told = (decision: Decision | undefined): ShadowVerdict => ({
    policy,
    rule: decision?.about.rule ?? '',
    code: codeOf(decision),
  });
  const failed = (thrown: unknown): ShadowVerdict => {
    const fields = { id: check.id, policy, ...thrownFields(thrown) };
    ports.logger.error(fields, 'a policy in shadow mode failed; it changes no answer');
    return { policy, rule: '', code: 'internal_error' };
  };
  try {
    const decision = decideWithin(check, ports.timers);
    if (!(decision instanceof Promise)) return told(decision);
    const late = decision.then(told, failed);
    return ports.mayWait === false ? told(undefined) : late;
  } catch (thrown) {
    return failed(thrown);
  }
}

/** Undefined where time is up, and where others left too little work for its expressions, which then said nothing of their own. */
function decideWithin(check: Check, timers: Timers): Decision | undefined | Promise<Decision | undefined> {
  const { expressions } = check;
  if (expressions.isExhausted) return undefined;
  const hadAll = expressions.workLeft === limits.workOfCheck;
  const decision = decide(check);
  if (!(decision instanceof Promise)) return expressions.isExhausted && !hadAll ? undefined : decision;
  return inTime(decision, timers).then((late) => (expressions.isExhausted ? undefined : late));
}

function inTime(decision: Promise<Decision>, timers: Timers): Promise<Decision | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = timers.after(shadowPatienceMs, () => resolve(undefined));
    decision.then(resolve, reject).finally(cancel);
  });
}

/** Undefined: none could be made in time. */
export function codeOf(decision: Decision | undefined): ShadowVerdict['code'] {
  if (decision === undefined) return 'deadline_exceeded';
  return decision.kind === 'allow' ? 'ok' : decision.denial.code;
}
