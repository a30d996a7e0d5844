import type { ExpressionEvents, HttpClient, IdentityEvents } from '../../src/core/ports.ts';

/** Nobody can be reached. */
export const noNetwork: HttpClient = {
  get: () => Promise.reject(new Error('no network')),
  send: () => Promise.reject(new Error('no network')),
};

/** Everybody can be reached and nobody answers. */
export const silentNetwork: HttpClient = {
  get: () => new Promise(() => undefined),
  send: () => new Promise(() => undefined),
};

/** Nobody listens to what happens. */
export const noEvents: IdentityEvents & ExpressionEvents = {
  tokenCache: () => undefined,
  keyFetch: () => undefined,
  introspection: () => undefined,
  passwordCheck: () => undefined,
  expressionFailed: () => undefined,
};
