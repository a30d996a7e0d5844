import { maxConcurrentStreams, maxStreamsInAll, maxStreamsWhenFull } from './limits.ts';

/** What all connections of a server hold together: each within its own bounds, thousands of them would still be too much. */
export interface ServerLoad {
  /** Streams that are open. */
  streams: number;
  /** Answers that the windows of peers hold back, bytes. */
  heldBackBytes: number;
}

export function createServerLoad(): ServerLoad {
  return { streams: 0, heldBackBytes: 0 };
}

/** How many streams a connection may have open, or worked on though nobody waits. */
export function streamsAllowed(load: ServerLoad): number {
  return load.streams < maxStreamsInAll ? maxConcurrentStreams : maxStreamsWhenFull;
}
