import { createCheckClient as createClient, type CheckAnswer } from '../envoy/check-client.ts';
import { systemClock } from '../runtime/system-ports.ts';
import type { HttpMessage } from './http-exchange.ts';
import { outcomeOfDenial, type Outcome } from './outcome.ts';

/** Asks an ext_authz service about the messages of the demonstration. */
export interface CheckClient {
  /** What the proxy would do with the request. Throws a Failure `no_answer` where no answer came, `bad_answer` for one that cannot be read. */
  check(message: HttpMessage): Promise<Outcome>;
  close(): void;
}

const timeoutMs = 5000;

/** A client of `HOST:PORT` or `unix:PATH`, in cleartext. */
export function createCheckClient(address: string): CheckClient {
  const client = createClient(address, { clock: systemClock, timeoutMs });
  return {
    async check(message) {
      const { host = '', ...headers } = message.headers;
      const answer = await client.check({
        method: message.method,
        target: message.path,
        host,
        scheme: 'http',
        headers: Object.entries(headers),
        form: 'joined',
        clientAddress: '127.0.0.1',
        contextExtensions: {},
        route: undefined,
      });
      return toOutcome(message, answer);
    },
    close: () => client.close(),
  };
}

/** The headers of an allow are applied to those of the request, in Envoy's order: set first, then remove. */
function toOutcome(message: HttpMessage, answer: CheckAnswer): Outcome {
  if (!answer.allowed) return outcomeOfDenial(answer.status, answer.body);
  const upstream = new Map([...Object.entries(message.headers), ...answer.setHeaders]);
  for (const name of answer.removeHeaders) upstream.delete(name);
  return { decision: 'allow', status: 200, upstream };
}
