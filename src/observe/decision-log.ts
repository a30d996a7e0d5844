import type { Decision } from '../core/decision.ts';
import type { DecisionSink, LogFields, Logger, Random } from '../core/ports.ts';
import type { Request } from '../core/request.ts';

export interface DecisionLogOptions {
  /** Not bound to the level of the service log: whether there is a line is said by `which` and `sample`. */
  readonly log: Logger;
  readonly which: 'all' | 'denied' | 'none';
  /** The part of the allowed requests that gets a line, 0 to 1. */
  readonly sample: number;
  readonly random: Random;
}

/** Longer values are cut: a client chooses them. */
const maxPathLength = 2048;
const maxTextLength = 256;

/**
 * One line a decision. It holds the canonical path without its query, and of the headers nothing but the host: neither queries nor headers nor
 * claims other than the subject ever stand in a log.
 */
export function createDecisionLog({ log, which, sample, random }: DecisionLogOptions): DecisionSink {
  if (which === 'none') return { record: () => undefined };
  const isLogged = (decision: Decision): boolean =>
    decision.kind === 'deny' || (which === 'all' && (sample >= 1 || random.fraction() < sample));
  return {
    record(decision, request, durationMs) {
      if (isLogged(decision)) log.info(decisionFields(decision, request, durationMs), 'decision');
    },
  };
}

function decisionFields(outcome: Decision, request: Request | undefined, durationMs: number): LogFields {
  const { about } = outcome;
  const denied = outcome.kind === 'deny';
  return {
    id: about.id,
    decision: outcome.kind,
    code: denied ? outcome.denial.code : 'ok',
    message: denied ? cut(outcome.denial.message, maxTextLength) : undefined,
    status: denied ? outcome.status : 200,
    policy: about.policy,
    rule: about.rule,
    provider: about.refused?.provider ?? about.identity.provider,
    subject: cut(about.refused?.subject ?? about.identity.subject, maxTextLength),
    revokedBy: about.refused?.revokedBy,
    peer: about.peer && cut(about.peer.subject, maxTextLength),
    method: request && cut(request.method, maxTextLength),
    host: request && cut(request.host, maxTextLength),
    path: request && cut(request.path, maxPathLength),
    clientIp: request?.clientIp,
    durationUs: Math.round(durationMs * 1000),
    shadow: about.shadow?.map(({ policy, rule, code }) => `${policy} ${rule} ${code}`),
  };
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
