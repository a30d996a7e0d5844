import { request as httpRequest } from 'node:http';
import type { Logger, LogFields, Timers } from '../../../src/core/ports.ts';
import type { ServiceStatus } from '../../../src/core/status.ts';
import type { ProcessPort } from '../../../src/runtime/process-signals.ts';

export interface KeptLog extends Logger {
  readonly lines: readonly (LogFields & { readonly level: string; readonly message: string })[];
}

/** A logger that keeps its lines. */
export function createKeptLog(): KeptLog {
  const lines: (LogFields & { readonly level: string; readonly message: string })[] = [];
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, message, ...fields });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export interface ManualTimers extends Timers {
  /** Delays that are waited for, in order. */
  pending(): readonly number[];
  /** Ends the wait for the first pending timer of that delay, and lets what follows run. */
  fire(delayMs: number): Promise<void>;
}

/** Timers that wait for the test. */
export function createManualTimers(): ManualTimers {
  const waiting: { readonly delayMs: number; readonly action: () => void }[] = [];
  return {
    pending: () => waiting.map(({ delayMs }) => delayMs),
    after(delayMs, action) {
      const entry = { delayMs, action };
      waiting.push(entry);
      return () => {
        const index = waiting.indexOf(entry);
        if (index >= 0) waiting.splice(index, 1);
      };
    },
    async fire(delayMs) {
      const index = waiting.findIndex((entry) => entry.delayMs === delayMs);
      const [entry] = index < 0 ? [] : waiting.splice(index, 1);
      if (entry === undefined) throw new Error(`nothing waits for ${delayMs} ms`);
      entry.action();
      await settle();
    },
  };
}

/** Lets every promise that can go on go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

export interface FakeProcess extends ProcessPort {
  readonly exits: readonly number[];
  emit(event: string, value?: unknown): void;
  listeners(): readonly string[];
}

/** A process whose events the test makes, and that does not exit. */
export function createFakeProcess(): FakeProcess {
  const listeners: { readonly event: string; readonly listener: (value: unknown) => void }[] = [];
  const exits: number[] = [];
  return {
    exits,
    on: (event, listener) => listeners.push({ event, listener }),
    off: (event, listener) => {
      const index = listeners.findIndex((entry) => entry.event === event && entry.listener === listener);
      if (index >= 0) listeners.splice(index, 1);
    },
    exit: (code) => void exits.push(code),
    emit: (event, value) => {
      for (const entry of listeners.filter((entry) => entry.event === event)) entry.listener(value);
    },
    listeners: () => listeners.map(({ event }) => event),
  };
}

export const emptyStatus: ServiceStatus = {
  ready: false,
  revision: 0,
  lastReadAt: undefined,
  documents: [],
  providers: [],
  problems: [],
};

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** One request to a bound address such as `127.0.0.1:9002`, on a connection of its own. */
export function send(
  address: string,
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `http://${address}`,
      { path, method: options.method ?? 'GET', headers: { ...options.headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}
