import type { Decision, DecisionAbout } from '../core/decision.ts';
import type { Clock, DecisionSink, Random } from '../core/ports.ts';
import type { Request } from '../core/request.ts';
import { compileIsoTime } from './iso-time.ts';
import { member, quote } from './json-line.ts';
import type { LogDestination } from './logger.ts';

export interface DecisionLogOptions {
  /** Not bound to the level of the service log: whether there is a line is said by `which` and `sample`. */
  readonly destination: Pick<LogDestination, 'write'>;
  readonly clock: Clock;
  readonly which: 'all' | 'denied' | 'none';
  /** The part of the allowed requests that gets a line, 0 to 1. */
  readonly sample: number;
  readonly random: Random;
  /** As in `LoggerOptions`. */
  readonly worker?: number | undefined;
}

/** Longer values are cut: a client chooses them. */
const maxPathLength = 2048;
const maxTextLength = 256;

/**
 * One line a decision, of the form that the service log has (`createLogger`), written by hand: there is one for every check. It holds the
 * canonical path without its query, and of the headers nothing but the host: neither queries nor headers nor claims other than the subject
 * ever stand in a log.
 */
export function createDecisionLog({
  destination,
  clock,
  which,
  sample,
  random,
  worker,
}: DecisionLogOptions): DecisionSink {
  if (which === 'none') return { record: () => undefined };
  const time = compileIsoTime(clock);
  const who = worker === undefined ? '' : `,"worker":${worker}`;
  const isLogged = (decision: Decision): boolean =>
    decision.kind === 'deny' || (which === 'all' && (sample >= 1 || random.fraction() < sample));
  return {
    record(decision, request, durationMs) {
      if (!isLogged(decision)) return;
      const what = `${outcomeOf(decision)}${requestOf(request)},"durationUs":${Math.round(durationMs * 1000)}`;
      destination.write(`{"level":"info","time":"${time()}"${who}${what}${shadowsOf(decision)},"msg":"decision"}\n`);
    },
  };
}

function outcomeOf(outcome: Decision): string {
  const { about } = outcome;
  const said =
    outcome.kind === 'deny'
      ? `"deny","code":"${outcome.denial.code}"${textMember('message', outcome.denial.message)},"status":${outcome.status}`
      : '"allow","code":"ok","status":200';
  return `${member('id', about.id)},"decision":${said}${member('policy', about.policy)}${member('rule', about.rule)}${callerOf(about)}`;
}

function callerOf({ identity, peer, refused }: DecisionAbout): string {
  const provider = member('provider', refused?.provider ?? identity.provider);
  const subject = textMember('subject', refused?.subject ?? identity.subject);
  return `${provider}${subject}${member('revokedBy', refused?.revokedBy)}${textMember('peer', peer?.subject)}`;
}

function requestOf(request: Request | undefined): string {
  if (request === undefined) return '';
  const { method, host, path, clientIp } = request;
  return `${textMember('method', method)}${textMember('host', host)}${member('path', cut(path, maxPathLength))}${member('clientIp', clientIp)}`;
}

function shadowsOf({ about: { shadow } }: Decision): string {
  if (shadow === undefined) return '';
  return `,"shadow":[${shadow.map(({ policy, rule, code }) => quote(`${policy} ${rule} ${code}`)).join()}]`;
}

function textMember(name: string, text: string | undefined): string {
  return member(name, text === undefined ? undefined : cut(text, maxTextLength));
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
