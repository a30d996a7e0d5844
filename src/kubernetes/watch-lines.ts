import { isJsonObject } from '../core/json.ts';
import { ApiFailure } from './api-failure.ts';
import { skipSpace } from '../std/json-spans.ts';
import { readWatchLine } from './cut-object.ts';
import { jsonIn } from './json-in.ts';
import type { WatchEvent } from './kubernetes-api.ts';
import type { ObjectBounds } from './object-bounds.ts';

/** What is larger is left to the list, which passes over it. */
const maxLineBytes = 4 * 1024 * 1024;
/** A line takes some milliseconds from here on: others have their turn behind it. */
const largeBytes = 32 * 1024;
const newline = 0x0a;
const eventTypes: ReadonlySet<unknown> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

export interface WatchReading {
  /** Of each object; what is larger is not read whole. */
  readonly bounds: ObjectBounds;
  readonly pause: () => Promise<void>;
}

/**
 * Cuts the body of a watch into its events, one JSON object a line; the events of one chunk come together, but for large
 * ones. Throws an ApiFailure for what is no event.
 */
export async function* readWatchEvents(
  chunks: AsyncIterable<Uint8Array>,
  { bounds, pause }: WatchReading,
): AsyncGenerator<readonly WatchEvent[]> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let events: WatchEvent[] = [];
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      parts.push(chunk.subarray(from, end));
      const line = Buffer.concat(parts);
      if (skipSpace(line, 0) < line.length) events.push(parseEvent(line, bounds));
      if (line.length > largeBytes) {
        yield events;
        events = [];
        await pause();
      }
      parts = [];
      size = 0;
      from = end + 1;
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from));
      size += chunk.length - from;
      if (size > maxLineBytes) throw new ApiFailure('api_too_large', 'an event of the watch is larger than 4 MiB');
    }
    if (events.length > 0) yield events;
  }
}

function parseEvent(line: Uint8Array, bounds: ObjectBounds): WatchEvent {
  const { type, object } = parseLine(line, bounds);
  if (!isJsonObject(object) || !isEventType(type))
    throw new ApiFailure('api_malformed', 'a line of the watch is not an event');
  return { type, object };
}

function parseLine(line: Uint8Array, bounds: ObjectBounds): ReturnType<typeof readWatchLine> {
  try {
    if (line.length > Math.min(largeBytes, bounds.maxBytes)) return readWatchLine(line, bounds);
    const value = jsonIn(line, { from: 0, to: line.length });
    return isJsonObject(value)
      ? { type: value['type'], object: value['object'] }
      : { type: undefined, object: undefined };
  } catch (cause) {
    throw new ApiFailure('api_malformed', 'a line of the watch is not JSON', { cause });
  }
}

function isEventType(value: unknown): value is WatchEvent['type'] {
  return eventTypes.has(value);
}
