import { isDenial, readRequest, type ReadingSettings } from '../canonical/read-request.ts';
import { readSender } from '../canonical/read-sender.ts';
import { allow, deny, denial, type Decision, type ShadowVerdict } from '../core/decision.ts';
import { anonymous } from '../core/identity.ts';
import type { Clock, ExpressionEvents, KubernetesReviews, Logger, Random, Timers } from '../core/ports.ts';
import type { ReasonCode } from '../core/reason.ts';
import type { RawRequest, Request } from '../core/request.ts';
import { thrownFields } from '../core/thrown-fields.ts';
import type { Trace } from '../core/trace.ts';
import { RequestScope } from '../expressions/scope.ts';
import type { ClosedNamespaces } from './closed-namespaces.ts';
import { decide, type Check } from './decide.ts';
import { coversHost } from './floor.ts';
import { codeOf, judgeShadows, shadowChecks, type ShadowCheck } from './judge-shadows.ts';
import type { Snapshot } from './snapshot.ts';
import { describeCovering } from './trace-selection.ts';

export interface CheckPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly events: ExpressionEvents;
  /** Undefined where there is no cluster to ask. */
  readonly reviews?: KubernetesReviews | undefined;
  /** Told of every step of the decision, not of those of shadows; undefined while serving. */
  readonly trace?: Trace | undefined;
  /** False: a verdict of a shadow that is not there at once is left out. Absent: it is waited for. */
  readonly mayWait?: boolean;
  /** Told of every check that is denied because its proxy does not say which route it chose; `policy` is one of those of the route. */
  readonly onUnrouted?: (policy: string) => void;
  /** Undefined where the hostnames of all routes are known. */
  readonly closed?: Pick<ClosedNamespaces, 'reservedFor'>;
}

export interface CheckSettings extends ReadingSettings {
  /** Introduces the service: everything is allowed and nothing changed, and what would have been decided is recorded (S9). */
  readonly shadowAll: boolean;
}

/** Decides one request on a snapshot. Never throws and never rejects. */
export function checkRequest(
  raw: RawRequest,
  snapshot: Snapshot | undefined,
  settings: CheckSettings,
  ports: CheckPorts,
): Decision | Promise<Decision> {
  const id = ports.random.id();
  const decision = checkSafely(id, raw, snapshot, settings, ports);
  if (!settings.shadowAll) return decision;
  return decision instanceof Promise ? decision.then(toShadowOfAll) : toShadowOfAll(decision);
}

/** The Decision where none could be made: of a code, without a request. */
export function refusal(id: string, code: ReasonCode): Decision {
  return deny({ id, policy: '', rule: '', identity: anonymous, request: undefined }, denial(code));
}

function checkSafely(
  id: string,
  raw: RawRequest,
  snapshot: Snapshot | undefined,
  settings: CheckSettings,
  ports: CheckPorts,
): Decision | Promise<Decision> {
  let request: Request | undefined;
  try {
    if (snapshot === undefined) return refusal(id, 'not_ready');
    const reading = readRequest(raw, settings);
    if (isDenial(reading)) {
      const sender = readSender(raw, settings);
      return deny({ id, policy: '', rule: '', identity: anonymous, request: undefined, sender }, reading);
    }
    request = reading;
    const decision = decideOn(snapshot, request, id, ports);
    return decision instanceof Promise
      ? decision.catch((thrown: unknown) => failed(thrown, id, request, ports.logger))
      : decision;
  } catch (thrown) {
    return failed(thrown, id, request, ports.logger);
  }
}

function decideOn(snapshot: Snapshot, request: Request, id: string, ports: CheckPorts): Decision | Promise<Decision> {
  const { attachments } = snapshot;
  const floors =
    snapshot.floors.length === 0 ? snapshot.floors : snapshot.floors.filter((floor) => coversHost(floor, request.host));
  const nowMs = ports.clock.now();
  // What nobody waits for any more finds no headers: that is no failure of a policy.
  const expressions = new RequestScope(request, id, nowMs, (place) => {
    if (request.headers.isLetGo !== true) ports.events.expressionFailed(place);
  });
  const reserved = attachments.reservedFor(request);
  const check: Check = {
    request,
    id,
    now: nowMs / 1000,
    expressions,
    group: attachments.find(request),
    reservedFor: reserved ?? ports.closed?.reservedFor(request, attachments.hosts),
    floors,
    reviews: ports.reviews,
    ownedBy: (namespace) => snapshot.ownedBy(namespace),
  };
  for (const policy of reserved ?? []) ports.onUnrouted?.(policy);
  const { trace } = ports;
  trace?.note({ kind: 'covering', policies: describeCovering(request, check.group, floors) });
  const decision = decide(trace === undefined ? check : { ...check, trace });
  const shadows = shadowChecks(snapshot, check);
  if (shadows.length === 0) return decision;
  return decision instanceof Promise
    ? decision.then((decided) => withVerdicts(decided, shadows, ports))
    : withVerdicts(decision, shadows, ports);
}

/** The decision with what the shadows would have made of it; it stays the same decision, and is there at once where their verdicts are. */
function withVerdicts(
  decision: Decision,
  shadows: readonly ShadowCheck[],
  ports: CheckPorts,
): Decision | Promise<Decision> {
  const told = (shadow: readonly ShadowVerdict[]): Decision => ({ ...decision, about: { ...decision.about, shadow } });
  const verdicts = judgeShadows(shadows, ports);
  return verdicts instanceof Promise ? verdicts.then(told) : told(verdicts);
}

/** `--shadow-all`: an allow that changes nothing, with the decision as the verdict of a shadow. */
export function toShadowOfAll(decision: Decision): Decision {
  const { policy, rule, shadow = [] } = decision.about;
  const verdict: ShadowVerdict = { policy, rule, code: codeOf(decision) };
  const unchanged = { setHeaders: [], removeHeaders: [], removeQueryParameters: [] };
  return allow({ ...decision.about, shadow: [verdict, ...shadow] }, unchanged);
}

function failed(thrown: unknown, id: string, request: Request | undefined, logger: Logger): Decision {
  logger.error({ id, ...thrownFields(thrown) }, 'a decision failed and the request is denied');
  return deny({ id, policy: '', rule: '', identity: anonymous, request }, denial('internal_error'));
}
