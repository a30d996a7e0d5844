import { request } from 'node:https';
import type { JsonValue } from '../../../src/core/json.ts';

export interface ApiTarget {
  readonly port: number;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
}

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: JsonValue | undefined;
  /** `application/json` where it is not given; a PATCH needs one of the patch types. */
  readonly contentType?: string | undefined;
}

export interface ApiAnswer {
  readonly status: number;
  /** The text where it is not JSON, as of /readyz. */
  readonly body: JsonValue;
}

const timeoutMs = 30_000;

/** One request to the API server; it rejects where no answer came. */
export function requestApi({ port, ca, token }: ApiTarget, call: ApiCall): Promise<ApiAnswer> {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/json',
    'content-type': call.contentType ?? 'application/json',
  };
  return new Promise((resolve, reject) => {
    const { method, path } = call;
    const signal = AbortSignal.timeout(timeoutMs);
    const sent = request({ host: '127.0.0.1', port, ca, method, path, headers, agent: false, signal }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.once('error', reject);
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body: parse(text) }));
    });
    sent.once('error', reject);
    sent.end(call.body === undefined ? undefined : JSON.stringify(call.body));
  });
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
