import { request as send, type Dispatcher } from 'undici';
import { messageOf } from '../core/failure.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Timers } from '../core/ports.ts';
import { ApiFailure, codeOfStatus } from './api-failure.ts';
import type { ClusterConnection } from './cluster-connection.ts';
import type { ApiRequest, KubernetesApi } from './kubernetes-api.ts';
import { documentBounds, type ObjectBounds } from './object-bounds.ts';
import { readAnswer } from './read-answer.ts';
import { readWatchEvents, type WatchReading } from './watch-lines.ts';

export interface ApiClientOptions {
  readonly connection: ClusterConnection;
  readonly timers: Timers;
  readonly userAgent: string;
  /** For one exchange, from the first byte out to the last byte in, milliseconds. */
  readonly timeoutMs?: number;
  /** Largest answer, bytes. */
  readonly maxBytes?: number;
}

const defaultTimeoutMs = 30_000;
/** Two of the largest objects that the API server takes; a list is read in as many pages as that needs. */
const defaultMaxBytes = 4 * 1024 * 1024;
const json = 'application/json';
const metadataOfList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

/** The API server over HTTP. Follows no redirect; credentials are asked for anew with every request, so that rotated ones are used. */
export function createApiClient(options: ApiClientOptions): KubernetesApi {
  const { connection, timers, userAgent, timeoutMs = defaultTimeoutMs, maxBytes = defaultMaxBytes } = options;
  const open = async (request: ApiRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> => {
    const { headers, dispatcher } = await connection.prepare();
    const response = await send(urlOf(connection.server, request), {
      dispatcher,
      method: request.method,
      signal,
      // Our own timers end what takes too long.
      headersTimeout: 0,
      bodyTimeout: 0,
      headers: {
        ...headers,
        accept: request.isMetadataOnly === true ? metadataOfList : json,
        'user-agent': userAgent,
        ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? json }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    });
    // Another may lie there already.
    if (response.statusCode === 401) connection.renew();
    return response;
  };
  const pause = (): Promise<void> => new Promise((resolve) => void timers.after(0, resolve));
  return {
    request: (request) =>
      withinTime(request, timers, timeoutMs, async (signal) => {
        const response = await open(request, signal);
        const bytes = await readBytes(response, maxBytes);
        if (response.statusCode < 200 || response.statusCode > 299) throw toStatusFailure(request, response, bytes);
        return readObjectIn(bytes, request.bounds, pause);
      }),
    watch: async ({ path, query, bounds = documentBounds, signal }) => {
      const request: ApiRequest = { method: 'GET', path, query };
      const ended = new AbortController();
      const end = (): void => ended.abort();
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
      const response = await withinTime(request, timers, timeoutMs, async (late) => {
        late.addEventListener('abort', end, { once: true });
        const opened = await open(request, ended.signal);
        if (opened.statusCode !== 200) throw toStatusFailure(request, opened, await readBytes(opened, maxBytes));
        return opened;
      });
      return eventsOf(response, request, signal, { bounds, pause });
    },
    close: () => connection.close(),
  };
}

async function* eventsOf(
  response: Dispatcher.ResponseData,
  request: ApiRequest,
  signal: AbortSignal,
  reading: WatchReading,
): ReturnType<typeof readWatchEvents> {
  const batches = readWatchEvents(response.body, reading);
  const given = Promise.withResolvers<{ readonly done: true; readonly value: undefined }>();
  const giveUp = (): void => given.resolve({ done: true, value: undefined });
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    for (;;) {
      // Does not wait for the connection to notice that it was given up.
      const next = await Promise.race([batches.next(), given.promise]);
      if (next.done === true) return;
      yield next.value;
    }
  } catch (thrown) {
    if (!signal.aborted) throw toFailure(request, thrown);
  } finally {
    signal.removeEventListener('abort', giveUp);
    response.body.destroy();
  }
}

function urlOf(server: string, { path, query }: ApiRequest): string {
  return query === undefined ? `${server}${path}` : `${server}${path}?${new URLSearchParams(query).toString()}`;
}

async function withinTime<T>(
  request: ApiRequest,
  timers: Timers,
  timeoutMs: number,
  exchange: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  // Does not wait for the connection to notice that it was given up.
  const over = Promise.withResolvers<never>();
  const cancel = timers.after(timeoutMs, () => {
    over.reject(new ApiFailure('api_timeout', `${nameOf(request)}: no complete answer within ${timeoutMs} ms`));
    late.abort();
  });
  try {
    return await Promise.race([exchange(late.signal), over.promise]);
  } catch (thrown) {
    throw toFailure(request, thrown);
  } finally {
    cancel();
  }
}

async function readBytes({ body }: Dispatcher.ResponseData, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const bytes: AsyncIterable<Uint8Array> = body;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > maxBytes) throw new ApiFailure('api_too_large', `the answer is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function readObjectIn(
  bytes: Uint8Array,
  bounds: ObjectBounds = documentBounds,
  pause: () => Promise<void>,
): Promise<JsonObject> {
  let value: unknown;
  try {
    value = await readAnswer(bytes, bounds, pause);
  } catch (cause) {
    throw new ApiFailure('api_malformed', 'the answer is not JSON', { cause });
  }
  if (!isJsonObject(value)) throw new ApiFailure('api_malformed', 'the answer is not a JSON object');
  return value;
}

/** The API server says in `message` of a Status what is wrong and which verb is missing (Kubernetes API, Status). */
function toStatusFailure(
  request: ApiRequest,
  { statusCode, headers }: Dispatcher.ResponseData,
  bytes: Uint8Array,
): ApiFailure {
  const said = messageOfStatus(Buffer.from(bytes).toString('utf8'));
  const seconds = Number(headers['retry-after']);
  const retry = Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {};
  return new ApiFailure(
    codeOfStatus(statusCode),
    `${nameOf(request)}: ${statusCode}${said === '' ? '' : ` ${said}`}`,
    retry,
  );
}

function messageOfStatus(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value) && typeof value['message'] === 'string') return value['message'].slice(0, 1000);
  } catch {
    // Something before the API server answered, in words of its own.
  }
  return '';
}

function toFailure(request: ApiRequest, thrown: unknown): ApiFailure {
  if (thrown instanceof ApiFailure) return thrown;
  return new ApiFailure('api_unreachable', `${nameOf(request)}: ${messageOf(thrown)}`, { cause: thrown });
}

function nameOf({ method, path }: ApiRequest): string {
  return `${method} ${path}`;
}
