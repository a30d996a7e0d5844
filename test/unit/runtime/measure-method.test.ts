import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../src/core/ports.ts';
import { RpcFailure, type Method, type ServerStream, type UnaryMethod } from '../../../src/grpc/transport.ts';
import type { GrpcMetrics } from '../../../src/observe/grpc-metrics.ts';
import { measureMethod } from '../../../src/runtime/measure-method.ts';
import { settle } from './runtime-fixtures.ts';

/** Each look at the clock is 5 ms later. */
function tickingClock(): Clock {
  let now = 0;
  return { now: () => 0, monotonic: () => (now += 5) };
}

function measured(method: Method): { readonly method: Method; readonly events: readonly string[] } {
  const events: string[] = [];
  const metrics: GrpcMetrics = {
    bind: (path, type) => ({
      started: () => void events.push(`${path} ${type} started`),
      handled: (code, durationMs) => void events.push(`${code} ${durationMs}`),
    }),
  };
  return { method: measureMethod(method, metrics, tickingClock()), events };
}

const answer = new Uint8Array([1]);
const call = { remainingMs: undefined, cancelled: false, peer: undefined };

function unary(
  handle: UnaryMethod['handle'],
  fallback?: Uint8Array,
): { readonly method: UnaryMethod; readonly events: readonly string[] } {
  const { method, events } = measured({ kind: 'unary', path: '/p.S/M', fallback, handle });
  if (method.kind !== 'unary') throw new Error('a unary method stays one');
  return { method, events };
}

describe('a unary method', () => {
  test('that answers at once still answers at once', () => {
    const { method, events } = unary(() => answer);
    expect(method.handle(new Uint8Array(), call)).toBe(answer);
    expect(events).toEqual(['/p.S/M unary started', 'OK 5']);
  });

  test('that answers later hands over the very promise', async () => {
    const later = Promise.resolve(answer);
    const { method, events } = unary(() => later);
    expect(method.handle(new Uint8Array(), call)).toBe(later);
    await settle();
    expect(events).toEqual(['/p.S/M unary started', 'OK 5']);
  });

  test('that throws is counted with its status and throws on', () => {
    const failure = new RpcFailure('INVALID_ARGUMENT', 'no');
    const { method, events } = unary(() => {
      throw failure;
    });
    expect(() => method.handle(new Uint8Array(), call)).toThrow(failure);
    expect(events).toEqual(['/p.S/M unary started', 'INVALID_ARGUMENT 5']);
  });

  test('that rejects with a bug is UNKNOWN, and with a fallback OK', async () => {
    const failing = (): Promise<Uint8Array> => Promise.reject(new TypeError('bug'));
    const without = unary(failing);
    const withFallback = unary(failing, answer);
    for (const { method } of [without, withFallback]) {
      await expect(method.handle(new Uint8Array(), call)).rejects.toThrow('bug');
    }
    expect([without.events[1], withFallback.events[1]]).toEqual(['UNKNOWN 5', 'OK 5']);
  });
});

describe('a streaming method', () => {
  const stream: ServerStream = { send: () => undefined, end: () => undefined };

  test('is handled when its stream ends, with the status that it gave', () => {
    const ended: string[] = [];
    const { method, events } = measured({
      kind: 'server-streaming',
      path: '/p.S/W',
      open: (_request, out) => {
        out.send(answer);
        out.end(new RpcFailure('UNAVAILABLE', 'bye'));
        return () => void ended.push('ended');
      },
    });
    const end = method.kind === 'server-streaming' ? method.open(new Uint8Array(), stream) : () => undefined;
    expect(events).toEqual(['/p.S/W server_stream started']);
    end();
    expect([events[1], ended]).toEqual(['UNAVAILABLE 5', ['ended']]);
  });

  test('whose client goes away is CANCELLED', () => {
    const { method, events } = measured({ kind: 'server-streaming', path: '/p.S/W', open: () => () => undefined });
    if (method.kind === 'server-streaming') method.open(new Uint8Array(), stream)();
    expect(events[1]).toBe('CANCELLED 5');
  });
});
