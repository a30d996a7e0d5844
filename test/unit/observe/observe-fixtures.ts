import { allow, deny, denial, type Decision, type DecisionAbout, type Deny } from '../../../src/core/decision.ts';
import { anonymous } from '../../../src/core/identity.ts';
import type { Clock, Random } from '../../../src/core/ports.ts';
import type { ReasonCode } from '../../../src/core/reason.ts';
import type { Request } from '../../../src/core/request.ts';
import type { LogDestination } from '../../../src/observe/logger.ts';

/** 2026-03-01T12:00:00.042Z, standing still. */
export const frozenClock: Clock = { now: () => Date.UTC(2026, 2, 1, 12, 0, 0, 42), monotonic: () => 0 };

/** Text that must never come out. */
export const canary = 'canary-5f1c';

export interface Lines extends LogDestination {
  readonly texts: readonly string[];
  readonly objects: () => readonly unknown[];
  readonly flushes: () => number;
}

/** A destination that keeps the lines. */
export function createLines(): Lines {
  const texts: string[] = [];
  let flushes = 0;
  return {
    texts,
    objects: () => texts.map((text): unknown => JSON.parse(text)),
    flushes: () => flushes,
    write: (line) => void texts.push(line),
    append: (line) => void texts.push(Buffer.from(line).toString()),
    flush: () => void flushes++,
  };
}

/** Fractions in turn. */
export function scriptedRandom(...fractions: readonly number[]): Random {
  let next = 0;
  return { id: () => 'id', fraction: () => fractions[next++ % fractions.length] ?? 0 };
}

const about: DecisionAbout = {
  id: '4b8e7a52-0f0e-4a51-8f0e-1d2c3b4a5968',
  policy: 'shop/orders',
  rule: 'read',
  request: undefined,
  identity: {
    ...anonymous,
    authenticated: true,
    provider: 'okta',
    subject: 'alice',
    clientId: `${canary}-client`,
    scopes: [`${canary}-scope`],
    claims: { email: `${canary}@example.com` },
  },
};

export function allowed(): Decision {
  return allow(about, { setHeaders: [['x-user', `${canary}-set`]], removeHeaders: [], removeQueryParameters: [] }, [
    ['x', canary],
  ]);
}

export function denied(code: ReasonCode, overrides: Partial<DecisionAbout> = {}): Deny {
  return deny({ ...about, ...overrides }, denial(code, undefined, [`Bearer ${canary}`]), {
    headers: [['x', canary]],
  });
}

export function request(overrides: Partial<Request> = {}): Request {
  const headers = new Map([
    ['authorization', `Bearer ${canary}`],
    ['cookie', canary],
  ]);
  return {
    method: 'GET',
    path: '/orders/17',
    pathWithoutParameters: '/orders/17',
    rawPath: `/orders/%31%37${canary}`,
    rawQuery: `token=${canary}`,
    query: { getAll: () => [canary], hasEncodedSpelling: () => false, names: () => [canary] },
    encodedReserved: [],
    host: 'api.example.com',
    port: undefined,
    scheme: 'https',
    protocol: 'HTTP/2',
    headers: {
      get: (name) => headers.get(name),
      count: () => 1,
      isText: () => true,
      names: () => headers.keys(),
      underscored: [],
    },
    connection: { peerAddress: '203.0.113.9', principal: canary, certificate: canary, forwarded: undefined },
    clientIp: '203.0.113.9',
    contextExtensions: new Map([['key', canary]]),
    route: undefined,
    ...overrides,
  };
}
