import { afterEach, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { random, realTimers } from '../../support/decision-stand.ts';
import { documentsOf } from '../../support/policy-test.ts';
import { rawRequest } from '../../support/raw-request.ts';
import { inlinePasswords } from '../../support/inline-passwords.ts';
import { noEvents, silentNetwork } from '../../support/networks.ts';

let engine: Engine | undefined;
afterEach(() => engine?.close());

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const provider = documentsOf(`
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "https://idp.example", audiences: [api]}}
`);
const policy = (name: string) =>
  documentsOf(`
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ${name}, namespace: shop}
spec: {hosts: [a.example], rules: [{name: r, matches: [{path: {type: PathPrefix, value: /}}], access: Public}]}
`);

test('changes that come faster than the keys of a new issuer do not put each other off for ever', async () => {
  engine = createEngine(
    {
      trustedHops: 0,
      maxHeaders: 100,
      serviceNamespace: 'portcullis',
      hostGrants: undefined,
      ownedHeaders: [],
      keyLoadTimeoutMs: 100,
      shadowAll: false,
      identity: {},
    },
    {
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      timers: realTimers,
      random,
      logger: quiet,
      // An issuer that never answers.
      http: silentNetwork,
      passwords: inlinePasswords,
      events: noEvents,
    },
  );
  await engine.apply({ documents: [], problems: [], unreadable: new Set() });
  for (let i = 0; i < 10; i++) {
    void engine.apply({ documents: [...provider, ...policy(`p${i}`)], problems: [], unreadable: new Set() });
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  expect((await engine.check(rawRequest({ host: 'a.example' }))).kind).toBe('allow');
  expect((await engine.check(rawRequest({ host: 'b.example' }))).kind).toBe('deny');
});
