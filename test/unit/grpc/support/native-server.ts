import { onTestFinished } from 'vitest';
import { createNativeTransport } from '../../../../src/grpc/native-transport.ts';
import type { Method, ServerStream, Transport, TransportOptions, UnaryCall } from '../../../../src/grpc/transport.ts';

export interface NativeServer {
  readonly transport: Transport;
  readonly address: string;
  /** What `/test.Test/Echo` was asked. */
  readonly asked: string[];
  /** What the log was told, level and message and why. */
  readonly log: string[];
  /** Calls of `/test.Test/Later` that wait, in their order; each answers when it is called. */
  readonly waiting: ((answer: Uint8Array) => void)[];
  readonly laterCalls: UnaryCall[];
  /** Streams of `/test.Test/Watch`; and how many have ended. */
  readonly watchers: ServerStream[];
  ended(): number;
  /** Lets time pass: every time-out that falls due is looked at. */
  advance(ms: number): void;
}

/** The native transport with its time in the hands of the test: nothing is late unless the test says so. */
export async function startNative(
  options: Partial<TransportOptions> & { readonly methods?: readonly Method[] } = {},
): Promise<NativeServer> {
  const asked: string[] = [];
  const log: string[] = [];
  const waiting: NativeServer['waiting'] = [];
  const laterCalls: UnaryCall[] = [];
  const watchers: ServerStream[] = [];
  let ended = 0;
  const time = createTime();
  const note = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void log.push(`${level}: ${message} (${String(fields['why'] ?? fields['error'])})`);
  const methods: readonly Method[] = [
    {
      kind: 'unary',
      path: '/test.Test/Echo',
      fallback: undefined,
      handle(request) {
        asked.push(Buffer.from(request).toString('latin1'));
        return request;
      },
    },
    {
      kind: 'unary',
      path: '/test.Test/Later',
      fallback: undefined,
      handle(_request, call) {
        laterCalls.push(call);
        return new Promise((resolve) => void waiting.push(resolve));
      },
    },
    {
      kind: 'server-streaming',
      path: '/test.Test/Watch',
      open(_request, stream) {
        watchers.push(stream);
        return () => void ended++;
      },
    },
    ...(options.methods ?? []),
  ];
  const transport = createNativeTransport(methods, {
    clock: time.clock,
    timers: time.timers,
    log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    ...options,
  });
  onTestFinished(() => transport.close());
  const address = await transport.listen('127.0.0.1:0');
  return {
    transport,
    address,
    asked,
    log,
    waiting,
    laterCalls,
    watchers,
    ended: () => ended,
    advance: (ms) => time.advance(ms),
  };
}

function createTime() {
  let now = 1000;
  const due = new Map<object, { readonly at: number; readonly action: () => void }>();
  return {
    clock: { now: () => now, monotonic: () => now },
    timers: {
      after(delayMs: number, action: () => void) {
        const key = {};
        due.set(key, { at: now + delayMs, action });
        return () => void due.delete(key);
      },
    },
    advance(ms: number) {
      const end = now + ms;
      for (;;) {
        const [next] = [...due].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
        if (next === undefined) break;
        due.delete(next[0]);
        now = Math.max(now, next[1].at);
        next[1].action();
      }
      now = end;
    },
  };
}
