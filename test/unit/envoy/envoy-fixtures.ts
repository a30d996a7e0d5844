import {
  allow,
  deny,
  denial,
  type Decision,
  type DecisionAbout,
  type UpstreamChanges,
} from '../../../src/core/decision.ts';
import { anonymous } from '../../../src/core/identity.ts';
import type { Authorizer, Clock, DecisionSink, LogFields, Logger, Timers } from '../../../src/core/ports.ts';
import { codecOf } from '../../../src/envoy/protos.ts';

export const about: DecisionAbout = {
  id: '0123-abc',
  policy: 'shop/orders',
  rule: 'read',
  identity: anonymous,
  request: undefined,
};
export const unchanged: UpstreamChanges = { setHeaders: [], removeHeaders: [], removeQueryParameters: [] };

/** An Authorizer that decides as the function says. */
export function authorizer(check: Authorizer['check'] = () => allow(about, unchanged)): Authorizer {
  return { check, refuse: (code) => deny(about, denial(code)) };
}

export interface HttpPart {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly scheme?: string;
  readonly protocol?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly headerMap?: { readonly headers: readonly { key: string; value?: string; rawValue?: Uint8Array }[] };
  readonly body?: string;
}

const get: HttpPart = { method: 'GET', path: '/orders', host: 'shop.example', scheme: 'https', protocol: 'HTTP/2' };

/** The bytes of a CheckRequest for `GET https://shop.example/orders`, or what the part says otherwise. */
export function checkRequest(http: HttpPart = {}, attributes: object = {}): Uint8Array {
  const message = { attributes: { request: { http: { ...get, ...http } }, ...attributes } };
  return codecOf('envoy.service.auth.v3.CheckRequest').encode(message);
}

/** A CheckResponse as the loader shows it. */
export interface Answer {
  readonly status?: { readonly code?: number };
  readonly okResponse?: {
    readonly headers?: readonly AnsweredHeader[];
    readonly headersToRemove?: readonly string[];
    readonly queryParametersToRemove?: readonly string[];
    readonly responseHeadersToAdd?: readonly AnsweredHeader[];
  };
  readonly deniedResponse?: {
    readonly status?: { readonly code?: number };
    readonly headers?: readonly AnsweredHeader[];
    readonly body?: string;
  };
  readonly dynamicMetadata?: object;
}

export interface AnsweredHeader {
  readonly header: { readonly key: string; readonly value: string };
  readonly append?: { readonly value?: boolean };
  readonly appendAction?: number;
}

export function decodeAnswer(bytes: Uint8Array): Answer {
  return codecOf('envoy.service.auth.v3.CheckResponse').decode(bytes);
}

/** The reason code that a denying answer gives to the client; undefined where it has no body. */
export function reasonOf(answer: Answer): string | undefined {
  const body: { error?: string } = JSON.parse(answer.deniedResponse?.body ?? '{}');
  return body.error;
}

export const realClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

export const realTimers: Timers = {
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface ManualTimers extends Timers {
  /** The delays that are waited for, in the order they were asked for. */
  readonly pending: () => readonly number[];
  /** Lets the delay pass of everything that is waited for. */
  fire(): void;
}

export function manualTimers(): ManualTimers {
  const waiting = new Map<() => void, number>();
  return {
    after(delayMs, action) {
      const entry = (): void => action();
      waiting.set(entry, delayMs);
      return () => waiting.delete(entry);
    },
    pending: () => [...waiting.values()],
    fire() {
      const entries = [...waiting.keys()];
      waiting.clear();
      for (const entry of entries) entry();
    },
  };
}

export interface RecordingSink extends DecisionSink {
  /** `allow`, or the code of the denial, with the milliseconds it took. */
  readonly recorded: string[];
}

export function recordingSink(): RecordingSink {
  const recorded: string[] = [];
  return {
    recorded,
    record(decision, _request, durationMs) {
      recorded.push(`${decision.kind === 'allow' ? 'allow' : decision.denial.code} ${durationMs}`);
    },
  };
}

export interface RecordingLog extends Logger {
  readonly lines: { level: string; fields: LogFields; message: string }[];
}

export function recordingLog(): RecordingLog {
  const lines: RecordingLog['lines'] = [];
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, fields, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A decision that is there only when told so. */
export function laterDecision(): {
  readonly promise: Promise<Decision>;
  readonly decide: (decision: Decision) => void;
} {
  const { promise, resolve } = Promise.withResolvers<Decision>();
  return { promise, decide: resolve };
}

/** An authorizer whose decisions are there when the test says; `asked` resolves once it was asked so many times. */
export function slowAuthorizer(times = 1) {
  const asked = Promise.withResolvers<void>();
  const later = laterDecision();
  let count = 0;
  const ours = authorizer(() => {
    if (++count === times) asked.resolve();
    return later.promise;
  });
  return { ours, asked: asked.promise, finish: () => later.decide(allow(about, unchanged)) };
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** The dynamic metadata of a decision about `about`, as the loader shows it. */
export function metadataOf(code: string): object {
  const members = { decision: code === 'ok' ? 'allow' : 'deny', code, policy: 'shop/orders', rule: 'read' };
  const texts = Object.entries({ ...members, decision_id: about.id });
  return { fields: Object.fromEntries(texts.map(([name, stringValue]) => [name, { stringValue }])) };
}

/** What an allow that changes nothing decodes to. */
export const allowed = {
  status: { code: 0 },
  okResponse: { headersToRemove: ['x-envoy-auth-failure-mode-allowed'] },
  dynamicMetadata: metadataOf('ok'),
};
