import type { Decision, DecisionAbout } from '../core/decision.ts';
import type { Clock, DecisionSink, Random } from '../core/ports.ts';
import type { Request, RequestSender } from '../core/request.ts';
import { JsonLine } from '../std/json-line.ts';
import { compileIsoTime } from './iso-time.ts';
import type { LogDestination } from './logger.ts';

export interface DecisionLogOptions {
  /** Not bound to the level of the service log: whether there is a line is said by `which` and `sample`. */
  readonly destination: Pick<LogDestination, 'append'>;
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
 * canonical path without its query (of a request that cannot be read no path), and of the headers nothing but the host: neither queries nor headers nor claims other than the subject
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
  const line = new JsonLine();
  return {
    record(decision, request, durationMs) {
      if (!isLogged(decision)) return;
      line.clear();
      line.ascii('{"level":"info","time":"');
      line.ascii(time());
      line.ascii('"');
      line.ascii(who);
      writeOutcome(line, decision);
      if (request !== undefined) writeRequest(line, request);
      else writeSender(line, decision.about.sender);
      line.ascii(',"durationUs":');
      line.ascii(String(Math.round(durationMs * 1000)));
      writeShadows(line, decision.about.shadow);
      line.ascii(',"msg":"decision"}\n');
      destination.append(line.written());
    },
  };
}

function writeOutcome(line: JsonLine, outcome: Decision): void {
  const { about } = outcome;
  line.member(',"id":', about.id);
  if (outcome.kind === 'allow') line.ascii(',"decision":"allow","code":"ok","status":200');
  else {
    line.member(',"decision":"deny","code":', outcome.denial.code);
    line.member(',"message":', cut(outcome.denial.message, maxTextLength));
    line.ascii(',"status":');
    line.ascii(String(outcome.status));
  }
  line.member(',"policy":', about.policy);
  line.member(',"rule":', about.rule);
  writeCaller(line, about);
}

function writeCaller(line: JsonLine, { identity, peer, refused }: DecisionAbout): void {
  line.member(',"provider":', refused?.provider ?? identity.provider);
  line.member(',"subject":', cut(refused?.subject ?? identity.subject, maxTextLength));
  line.member(',"revokedBy":', refused?.revokedBy);
  line.member(',"peer":', cut(peer?.subject, maxTextLength));
}

function writeRequest(line: JsonLine, { method, host, path, clientIp }: Request): void {
  line.member(',"method":', cut(method, maxTextLength));
  line.member(',"host":', cut(host, maxTextLength));
  line.member(',"path":', cut(path, maxPathLength));
  line.member(',"clientIp":', clientIp);
}

/** Whoever probes with what cannot be read is to be found. */
function writeSender(line: JsonLine, sender: RequestSender | undefined): void {
  line.member(',"method":', cut(sender?.method, maxTextLength));
  line.member(',"host":', cut(sender?.host, maxTextLength));
  line.member(',"clientIp":', sender?.clientIp);
}

function writeShadows(line: JsonLine, shadows: DecisionAbout['shadow']): void {
  if (shadows === undefined) return;
  line.ascii(',"shadow":[');
  for (const [i, { policy, rule, code }] of shadows.entries()) {
    if (i > 0) line.ascii(',');
    line.quoted(`${policy} ${rule} ${code}`);
  }
  line.ascii(']');
}

function cut(text: string | undefined, length: number): string | undefined {
  return text !== undefined && text.length > length ? `${text.slice(0, length)}…` : text;
}
