import { request } from 'node:http';
import { Failure } from '../core/failure.ts';

export interface HttpMessage {
  readonly method: string;
  /** Sent as it is: nothing is normalised on the way. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; several fields of one name joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const timeoutMs = 10_000;

/** One HTTP/1.1 exchange with a server of this machine, without a body, on a connection of its own. Throws a Failure `no_answer`. */
export function exchange(port: number, message: HttpMessage): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(new Failure('no_answer', `No answer to ${message.method} ${message.path}: ${cause.message}`, { cause }));
    };
    const options = { host: '127.0.0.1', port, agent: false, signal: AbortSignal.timeout(timeoutMs), ...message };
    const call = request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('error', fail);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: joined(response.headersDistinct), body });
      });
    });
    call.on('error', fail);
    call.end();
  });
}

function joined(headers: NodeJS.Dict<string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, (values ?? []).join(', ')]));
}
