import type { CallAddress } from './call-address.ts';
import { encodeCallHeaders } from './call-headers.ts';
import { openCallConnection, type CallConnection } from './call-connection.ts';
import { verdictOf, type Verdict } from './verdict.ts';

/** The same for every row: as many connections as Envoy has worker threads here, and calls on their way on each. */
export const connectionShape = { connections: 2, callsInFlight: 32 } as const;

export interface LoadTarget {
  readonly address: CallAddress;
  /** CheckRequests with their gRPC prefix, sent one after the other and again from the first; or what makes the next one. */
  readonly messages: readonly Uint8Array[] | (() => Uint8Array);
  readonly expected: Verdict;
}

export interface LoadResult {
  /** Answers, of whatever kind. */
  readonly answers: number;
  /** Those that were not what the row expects. */
  readonly unexpected: number;
  readonly seconds: number;
  /** From the call to its answer, milliseconds, one for each answer. */
  readonly latencies: readonly number[];
}

/** Keeps a number of calls on their way: each answer sends the next call (a closed loop). */
export interface Load {
  /** Runs for as long and waits for what is on its way then. */
  run(seconds: number): Promise<LoadResult>;
  close(): void;
}

export const checkPath = '/envoy.service.auth.v3.Authorization/Check';

function inTurn(messages: readonly Uint8Array[]): () => Uint8Array {
  let position = 0;
  return () => {
    const message = messages[position];
    position = (position + 1) % messages.length;
    if (message === undefined) throw new RangeError('a load needs messages');
    return message;
  };
}

export async function createLoad(
  { address, messages, expected }: LoadTarget,
  count: number = connectionShape.connections,
): Promise<Load> {
  const headers = encodeCallHeaders(checkPath, 'portcullis.bench');
  const connections = await Promise.all(Array.from({ length: count }, () => openCallConnection(address, headers)));
  const nextMessage = typeof messages === 'function' ? messages : inTurn(messages);

  function run(seconds: number): Promise<LoadResult> {
    const latencies: number[] = [];
    let unexpected = 0;
    let inFlight = 0;
    const start = performance.now();
    const end = start + seconds * 1000;
    return new Promise((resolve) => {
      const send = (connection: CallConnection, sentAt: number): void => {
        inFlight++;
        connection.call(nextMessage(), (answer) => {
          const now = performance.now();
          const verdict = verdictOf(answer);
          inFlight--;
          latencies.push(now - sentAt);
          if (verdict !== expected) unexpected++;
          // A call that failed is not followed by another: the connection may be gone.
          if (now < end && verdict !== 'failed') send(connection, now);
          else if (inFlight === 0) {
            resolve({ answers: latencies.length, unexpected, seconds: (now - start) / 1000, latencies });
          }
        });
      };
      for (const connection of connections) {
        for (let i = 0; i < connectionShape.callsInFlight; i++) send(connection, start);
      }
    });
  }

  return {
    run,
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}
