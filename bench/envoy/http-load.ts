import { openHttpConnection, type HttpConnection } from './http-connection.ts';

/** What a client sees: whole answers, latencies in milliseconds, one for each. */
export interface HttpLoadResult {
  readonly answers: number;
  /** Those with another status than 200, and those that did not come. */
  readonly unexpected: number;
  readonly seconds: number;
  readonly latencies: readonly number[];
}

/** Sends one request again and again over kept connections. */
export interface HttpLoad {
  /** Every answer sends the next request on its connection (a closed loop): as much as the other side can do. */
  saturate(seconds: number): Promise<HttpLoadResult>;
  /**
   * So many a second at equal distances, whether or not answers come (an open loop). A latency counts from when the request was due, so
   * that waiting for a free connection is in it.
   */
  pace(perSecond: number, seconds: number): Promise<HttpLoadResult>;
  close(): void;
}

/** As many clients at once. */
export const connections = 64;

export async function createHttpLoad(port: number, request: Uint8Array): Promise<HttpLoad> {
  const all = await Promise.all(Array.from({ length: connections }, () => openHttpConnection(port)));
  return {
    saturate: (seconds) => saturate(all, request, seconds),
    pace: (perSecond, seconds) => pace(all, request, perSecond, seconds),
    close: () => {
      for (const connection of all) connection.close();
    },
  };
}

function saturate(all: readonly HttpConnection[], request: Uint8Array, seconds: number): Promise<HttpLoadResult> {
  const tally = createTally();
  const end = tally.start + seconds * 1000;
  let open = all.length;
  return new Promise((resolve) => {
    const send = (connection: HttpConnection, sentAt: number): void => {
      connection.send(request, (status) => {
        const now = performance.now();
        tally.add(now - sentAt, status);
        // A connection that failed is not used again.
        if (now < end && status !== undefined) send(connection, now);
        else if (--open === 0) resolve(tally.result());
      });
    };
    for (const connection of all) send(connection, tally.start);
  });
}

function pace(
  all: readonly HttpConnection[],
  request: Uint8Array,
  perSecond: number,
  seconds: number,
): Promise<HttpLoadResult> {
  const tally = createTally();
  const total = Math.round(perSecond * seconds);
  const free = [...all];
  let due = 0;
  let answered = 0;
  return new Promise((resolve) => {
    const sendDue = (): void => {
      while (due < total && dueAt(due) <= performance.now()) {
        const connection = free.pop();
        if (connection === undefined) return;
        const since = dueAt(due++);
        connection.send(request, (status) => {
          tally.add(performance.now() - since, status);
          free.push(connection);
          if (++answered === total) resolve(tally.result());
        });
      }
    };
    const dueAt = (number: number): number => tally.start + (number * 1000) / perSecond;
    // Timers know whole milliseconds only; the load has a core for itself.
    const look = (): void => {
      sendDue();
      if (due < total) setImmediate(look);
    };
    look();
  });
}

interface Tally {
  /** By the monotonic clock, milliseconds. */
  readonly start: number;
  add(latency: number, status: number | undefined): void;
  result(): HttpLoadResult;
}

function createTally(): Tally {
  const start = performance.now();
  const latencies: number[] = [];
  let unexpected = 0;
  return {
    start,
    add(latency, status) {
      latencies.push(latency);
      if (status !== 200) unexpected++;
    },
    result: () => ({
      answers: latencies.length,
      unexpected,
      seconds: (performance.now() - start) / 1000,
      latencies,
    }),
  };
}
