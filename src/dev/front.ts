import { createCheckClient } from './check-client.ts';
import { checkLine, curlLine } from './curl-line.ts';
import { envoyConfig } from './envoy-config.ts';
import { startEnvoy } from './envoy-process.ts';
import { exchange, type HttpMessage } from './http-exchange.ts';
import { outcomeOfAnswer, type Outcome } from './outcome.ts';
import type { Sample } from './samples.ts';
import type { Failure } from '../core/failure.ts';

/** What stands in front of Portcullis in the demonstration: a real Envoy, or plain Check calls where there is none. */
export interface Front {
  /** What it is and where, one line. */
  readonly title: string;
  /** True where a person can send requests of their own to it. */
  readonly takesRequests: boolean;
  /** The sample as a person would ask it; a line for a shell begins with `$ `. */
  line(sample: Sample): string;
  ask(sample: Sample, token: string | undefined): Promise<Outcome>;
  /** Resolves when it has ended; never for one that cannot. */
  readonly ended: Promise<Failure>;
  close(): Promise<void>;
}

export interface EnvoyFrontOptions {
  readonly binary: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly upstreamPort: number;
  readonly authorizationAddress: string;
}

/** Starts an Envoy that asks Portcullis about every request. Throws a Failure `envoy_failed`. */
export async function startEnvoyFront(options: EnvoyFrontOptions): Promise<Front> {
  const envoy = await startEnvoy(options.binary, envoyConfig(options));
  return {
    title: `Envoy       http://localhost:${envoy.port}  (asks Portcullis about every request)`,
    takesRequests: true,
    line: (sample) => `$ ${curlLine(sample, envoy.port)}`,
    async ask(sample, token) {
      const answer = await exchange(envoy.port, messageOf(sample, token, `localhost:${envoy.port}`));
      return outcomeOfAnswer(answer.status, answer.body);
    },
    ended: envoy.ended,
    close: () => envoy.close(),
  };
}

/** Asks Portcullis itself, without a proxy. */
export function createCheckFront(authorizationAddress: string): Front {
  const client = createCheckClient(authorizationAddress);
  return {
    title: 'no Envoy    the requests go to Portcullis as gRPC Check calls',
    takesRequests: false,
    line: checkLine,
    ask: (sample, token) => client.check(messageOf(sample, token, 'localhost')),
    ended: new Promise(() => {}),
    close: async () => client.close(),
  };
}

function messageOf(sample: Sample, token: string | undefined, host: string): HttpMessage {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return { method: sample.method, path: sample.path, headers: { host, ...sample.headers, ...authorization } };
}
