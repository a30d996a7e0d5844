import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { answerOf, loadPrograms, type Programs, type Seen } from '../../support/caches/four-ways.ts';
import { fuzz, fuzzTimeout } from '../../support/fuzz.ts';
import { arbitrarySteps, plainAsk, type Step } from './support/arbitrary-steps.ts';
import { credentialsOf, type Shown } from './support/world-credentials.ts';
import { createFacts, type Facts } from './support/world-facts.ts';
import { hosts } from './support/world-state.ts';
import { createWorld } from './support/world.ts';

let programs: Programs;
let facts: Facts;
let credentials: readonly Shown[];
beforeAll(async () => {
  programs = await loadPrograms();
  facts = createFacts();
  credentials = await credentialsOf(facts);
  const world = await createWorld(programs, facts, credentials);
  const refused = world.four.ways.flatMap(({ stand }) =>
    stand.engine.status().documents.filter((one) => !one.accepted),
  );
  expect(refused).toEqual([]);
  for (const [index, { hosts: own }] of credentials.entries()) {
    for (const host of own.keys()) {
      const answer = await world.take(plainAsk(index, host));
      if (answer !== undefined && isAllowed(answer)) welcome.push({ index, host: own[host] });
    }
  }
  await world.close();
}, 60_000);

/** Who is let in at first, and where. */
const welcome: { readonly index: number; readonly host: string | undefined }[] = [];

test('somebody is let in on every host of the world, and many are not', () => {
  expect(hosts.filter((host) => !welcome.some((one) => one.host === host))).toEqual([]);
  const those = new Set(welcome.map(({ index }) => index));
  expect(those.size).toBeGreaterThan(20);
  expect(credentials.length - those.size).toBeGreaterThan(20);
});

const seconds = 15;

test(
  'whatever changes, what is remembered never answers what nobody who remembers nothing would',
  fuzzTimeout(seconds),
  async () => {
    const tally = { allowed: 0, denied: 0, hits: 0 };
    const property = fc.asyncProperty(arbitrarySteps(credentials), async (taken) => {
      const world = await createWorld(programs, facts, credentials);
      try {
        for (const step of taken) {
          const answer = await world.take(step);
          if (answer === undefined) continue;
          expect(answer.status).toBe('OK');
          tally[isAllowed(answer) ? 'allowed' : 'denied']++;
        }
        const hits = world.four.ways.map((way) => way.hits());
        expect(hits.slice(0, 2)).toEqual([0, 0]);
        tally.hits += hits[2] ?? 0;
      } finally {
        await world.close();
      }
    });
    const { seed, runs } = await fuzz(property, seconds, print);
    console.log(`SEED=${seed}: ${runs} worlds, ${JSON.stringify(tally)}`);
    // Of what is always denied, or always new, nothing could be seen.
    expect(tally.allowed).toBeGreaterThan(3 * runs);
    expect(tally.denied).toBeGreaterThan(3 * runs);
    expect(tally.hits).toBeGreaterThan(3 * runs);
  },
);

function isAllowed(seen: Seen): boolean {
  return answerOf(seen).status?.code === 0;
}

function print(steps: readonly Step[]): string {
  const nameOf = (step: Step): string => (step.kind === 'ask' ? (credentials[step.credential]?.name ?? '') : '');
  return steps.map((step) => `${JSON.stringify(step)} ${nameOf(step)}`).join('\n');
}
