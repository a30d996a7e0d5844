import { isJsonObject } from '../core/json.ts';
import { ApiFailure } from './api-failure.ts';
import type { WatchEvent } from './kubernetes-api.ts';

/** etcd holds no object larger than a few megabytes; a line beyond this is none of its. */
const maxLineBytes = 32 * 1024 * 1024;
const newline = 0x0a;
const eventTypes: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

/** Cuts the body of a watch into its events, one JSON object a line; the events of one chunk come together. Throws an ApiFailure for what is no event. */
export async function* readWatchEvents(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly WatchEvent[]> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const events: WatchEvent[] = [];
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      parts.push(chunk.subarray(from, end));
      const line = Buffer.concat(parts).toString('utf8').trim();
      if (line !== '') events.push(parseEvent(line));
      parts = [];
      size = 0;
      from = end + 1;
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from));
      size += chunk.length - from;
      if (size > maxLineBytes) throw new ApiFailure('api_too_large', 'an event of the watch is larger than 32 MiB');
    }
    if (events.length > 0) yield events;
  }
}

function parseEvent(line: string): WatchEvent {
  const value = parseJson(line);
  if (!isJsonObject(value) || !isJsonObject(value['object']) || !isEventType(value['type']))
    throw new ApiFailure('api_malformed', 'a line of the watch is not an event');
  return { type: value['type'], object: value['object'] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiFailure('api_malformed', 'a line of the watch is not JSON', { cause });
  }
}

function isEventType(value: unknown): value is WatchEvent['type'] {
  return eventTypes.has(value);
}
