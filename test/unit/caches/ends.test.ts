import { beforeAll, expect, test } from 'vitest';
import { answerOf, loadPrograms, type Programs } from '../../support/caches/four-ways.ts';
import { plainAsk, type Step } from './support/arbitrary-steps.ts';
import { credentialsOf, type Shown } from './support/world-credentials.ts';
import { createFacts, type Facts } from './support/world-facts.ts';
import { createWorld } from './support/world.ts';
import { hosts, type Field } from './support/world-state.ts';

let programs: Programs;
let facts: Facts;
let credentials: readonly Shown[];
beforeAll(async () => {
  programs = await loadPrograms();
  facts = createFacts();
  credentials = await credentialsOf(facts);
}, 60_000);

test(
  'whoever shows whatever on whichever host, and whoever came before, is answered alike',
  { timeout: 60_000 },
  async () => {
    const world = await createWorld(programs, facts, credentials);
    const documents = world.four.ways.flatMap(({ stand }) => stand.engine.status().documents);
    expect(documents.filter(({ accepted }) => !accepted)).toEqual([]);
    const letIn: (readonly [credential: number, host: string])[] = [];
    const there = [...credentials.keys()];
    const back = there.toReversed();
    for (const [order, forged] of [[there, false] as const, [back, true] as const]) {
      for (const credential of order) {
        for (const elsewhere of hosts) {
          const answer = await world.take({ ...plainAsk(credential, 0), elsewhere, forged });
          if (answer !== undefined && answerOf(answer).status?.code === 0) letIn.push([credential, elsewhere]);
        }
      }
    }
    await world.close();
    expect(hosts.filter((host) => !letIn.some(([, one]) => one === host))).toEqual([]);
    const those = new Set(letIn.map(([credential]) => credential)).size;
    expect(those).toBeGreaterThan(20);
    expect(credentials.length - those).toBeGreaterThan(20);
  },
);

const set = (field: Field, value: number): Step => ({ kind: 'set', field, value });
const pass = (minutes: number): Step => ({ kind: 'pass', ms: minutes * 60_000 });
const wall = (minutes: number): Step => ({ kind: 'wall', seconds: minutes * 60 });
const revoke = (provider: string, value: string): Step => ({ kind: 'revoke', provider, target: 'sub', value });

/** What somebody shows who is let in, where, and what ends that. */
const ends: readonly (readonly [why: string, who: string, host: string, steps: readonly Step[]])[] = [
  ['its audience is none of the provider any more', 'alice', 'staff', [set('audiences', 1)]],
  ['its key is gone from the ConfigMap', 'alice', 'staff', [set('staffKeys', 2)]],
  ['another key has its id', 'alice', 'staff', [set('staffKeys', 3)]],
  ['its issuer does not publish its key any more', 'of a partner', 'api', [set('partnerKeys', 2), pass(11)]],
  ['it is past its end', 'that ends soon', 'staff', [pass(11)]],
  ['the clock is set on beyond its end', 'that ends soon', 'staff', [wall(11)]],
  ['the clock is set back to before it was issued', 'alice', 'staff', [wall(-11)]],
  ['it is revoked', 'alice', 'staff', [revoke('shop/staff', 'alice')]],
  ['the floor asks for more', 'alice', 'staff', [set('floor', 2)]],
  ['the issuer took it back, after the ttl', 'opaque of alice', 'api', [set('opaque', 1)]],
  ['the answer is past the end of its token', 'opaque that ends soon', 'api', [pass(11)]],
  ['the opaque token is revoked here', 'opaque of alice', 'api', [revoke('shop/opaque', 'alice')]],
  ['the account was deleted, after the ttl', 'of a service account', 'accounts', [set('accounts', 1)]],
  ['the token of the account is past its end', 'of a service account, ending soon', 'accounts', [pass(11)]],
  ['the consumer has another secret', 'of a consumer', 'api', [set('consumers', 1)]],
  ['the consumer is past its end', 'of a consumer', 'api', [set('consumers', 3), pass(11)]],
  ['the consumer is gone', 'of a consumer', 'api', [set('consumers', 4)]],
  ['the client is gone', 'the key of acme', 'api', [set('clients', 2)]],
  ['the client is past its end', 'the key of acme', 'api', [set('clients', 3), pass(11)]],
  ['the user has another password', 'the password of alice', 'api', [set('users', 1)]],
  ['the user is gone', 'the password of alice', 'api', [set('users', 2)]],
  ['the user is revoked', 'the password of alice', 'api', [revoke('shop/people', 'alice')]],
  ['the authority is another one', 'certificate 0', 'alone', [set('trust', 1)]],
  ['the certificate is on the list', 'certificate 0', 'alone', [set('trust', 3)]],
  ['the certificate is past its end', 'certificate 2', 'alone', [pass(11)]],
  ['the list of revoked certificates is past its end', 'certificate 0', 'alone', [pass(181)]],
  ['the clock is set back to before the certificate', 'certificate 0', 'alone', [wall(-3_000)]],
  ['the proof is used', 'a proof', 'proven', []],
];

test.each(ends)('%s: who was let in is refused (%s at %s)', async (_why, who, host, steps) => {
  const index = credentials.findIndex(({ name }) => name === who);
  const ask = plainAsk(index, credentials[index]?.hosts.indexOf(host) ?? -1);
  const isUsedUp = steps.length === 0;
  const world = await createWorld(programs, facts, credentials);
  try {
    const seen: boolean[] = [];
    for (const step of isUsedUp ? [ask, ask] : [ask, ask, ...steps, ask]) {
      const answer = await world.take(step);
      if (answer !== undefined) seen.push(answerOf(answer).status?.code === 0);
    }
    expect(seen).toEqual(isUsedUp ? [true, false] : [true, true, false]);
  } finally {
    await world.close();
  }
});
