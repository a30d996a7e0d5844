import type { ClientRequest, IncomingMessage } from 'node:http';
import { Failure, messageOf } from '../core/failure.ts';
import type { HttpLimits, HttpResponse, Timers } from '../core/ports.ts';

/** What asking others over HTTP can fail with; the code of the Failure. */
export type HttpFailureCode =
  | 'http_url'
  | 'http_address'
  | 'http_ca'
  | 'http_connect'
  | 'http_timeout'
  | 'http_redirect'
  | 'http_status'
  | 'http_encoded'
  | 'http_too_large'
  | 'http_incomplete';

export function httpFailure(code: HttpFailureCode, message: string): Failure {
  return new Failure(code, message);
}

export interface HttpExchange {
  /** Opens the request; again where the connection that it was given had been closed meanwhile. */
  readonly open: () => ClientRequest;
  readonly body: string | undefined;
  /** Why an answer of this status is none. Redirects never get here. */
  readonly judge: (status: number) => Failure | undefined;
}

export function judgeSuccess(status: number): Failure | undefined {
  return status === 200 ? undefined : httpFailure('http_status', `status ${status}`);
}

/** One request and its whole answer, within the time and size allowed. Rejects with a Failure, or what node:http says. */
export function exchange(parts: HttpExchange, limits: HttpLimits, timers: Timers): Promise<HttpResponse> {
  return new Promise((settle, reject) => {
    let request: ClientRequest | undefined;
    const end = (error: unknown): void => {
      cancel();
      reject(error instanceof Error ? error : new Error(messageOf(error)));
      request?.destroy();
    };
    // Rejects by itself: a request whose connection is gone already would not tell of its destruction.
    const cancel = timers.after(limits.timeoutMs, () => {
      end(httpFailure('http_timeout', `no complete answer within ${Math.ceil(limits.timeoutMs)} ms`));
    });
    const done = (response: HttpResponse): void => {
      cancel();
      settle(response);
    };
    const attempt = (mayRepeat: boolean): void => {
      try {
        const current = parts.open();
        request = current;
        let answered = false;
        // Without a listener node:http closes the connection of a 101 and says nothing.
        current.on('upgrade', (response, socket) => {
          socket.destroy();
          end(httpFailure('http_status', `status ${response.statusCode ?? 0}`));
        });
        current.on('error', (error) => {
          if (mayRepeat && !answered && current.reusedSocket && isClosedMeanwhile(error)) attempt(false);
          else end(error);
        });
        current.on('response', (response) => {
          answered = true;
          takeResponse(response, parts, limits.maxBytes, end, done);
        });
        current.end(parts.body);
      } catch (error) {
        end(error);
      }
    };
    attempt(true);
  });
}

function isClosedMeanwhile(error: Error): boolean {
  const code = 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function takeResponse(
  response: IncomingMessage,
  { judge }: HttpExchange,
  maxBytes: number,
  abort: (error: unknown) => void,
  done: (response: HttpResponse) => void,
): void {
  const status = response.statusCode ?? 0;
  const refused = judgeHead(response, judge, maxBytes);
  if (refused !== undefined) {
    response.resume();
    abort(refused);
    return;
  }
  const contentType = response.headers['content-type'] ?? '';
  readBody(response, maxBytes, abort, (body) => done({ status, contentType, body }));
}

/** Judges the head of an answer: no redirect, of a right status, as it is, of bearable size. */
function judgeHead(response: IncomingMessage, judge: HttpExchange['judge'], maxBytes: number): Failure | undefined {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400)
    return httpFailure('http_redirect', `redirected (${status}), which is not followed`);
  const refused = judge(status);
  if (refused !== undefined) return refused;
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity')
    return httpFailure('http_encoded', 'the answer is compressed though none was asked for');
  const length = Number(response.headers['content-length'] ?? 0);
  return length > maxBytes ? tooLarge(maxBytes) : undefined;
}

function readBody(
  response: IncomingMessage,
  maxBytes: number,
  abort: (error: unknown) => void,
  done: (bytes: Uint8Array) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) abort(tooLarge(maxBytes));
    else chunks.push(chunk);
  });
  response.on('error', abort);
  response.on('close', () => {
    if (response.complete) done(Buffer.concat(chunks));
    else abort(httpFailure('http_incomplete', 'the answer ended before it was complete'));
  });
}

function tooLarge(maxBytes: number): Failure {
  return httpFailure('http_too_large', `the answer is larger than ${maxBytes} bytes`);
}
