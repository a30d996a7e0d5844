import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { answerOf, loadPrograms, type Programs, type Seen } from '../../support/caches/four-ways.ts';
import { fuzz, fuzzTimeout } from '../../support/fuzz.ts';
import { arbitrarySteps, type Step } from './support/arbitrary-steps.ts';
import { credentialsOf, kinds, type Kind, type Shown } from './support/world-credentials.ts';
import { createFacts, type Facts } from './support/world-facts.ts';
import { createWorld } from './support/world.ts';

let programs: Programs;
let facts: Facts;
let credentials: readonly Shown[];
beforeAll(async () => {
  programs = await loadPrograms();
  facts = createFacts();
  credentials = await credentialsOf(facts);
}, 60_000);

const seconds = 3;
const tally = { worlds: 0, allowed: 0, denied: 0, hits: 0 };

test.each(Object.keys(kinds) as Kind[])(
  'whatever changes, what is remembered never answers what nobody who remembers nothing would: %s',
  fuzzTimeout(seconds),
  async (kind) => {
    const property = fc.asyncProperty(arbitrarySteps(kind, credentials), async (steps) => {
      tally.worlds++;
      const world = await createWorld(programs, facts, credentials);
      try {
        for (const step of steps) {
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
    await fuzz(property, seconds, print);
  },
);

// Of what is always denied, or always new, nothing could be seen.
test('in these worlds much was let in, much was not, and much was remembered', () => {
  console.log(JSON.stringify(tally));
  expect(tally.allowed).toBeGreaterThan(tally.worlds);
  expect(tally.denied).toBeGreaterThan(tally.worlds);
  expect(tally.hits).toBeGreaterThan(tally.worlds / 2);
});

function isAllowed(seen: Seen): boolean {
  return answerOf(seen).status?.code === 0;
}

function print(steps: readonly Step[]): string {
  const nameOf = (step: Step): string => (step.kind === 'ask' ? (credentials[step.credential]?.name ?? '') : '');
  return steps.map((step) => `${JSON.stringify(step)} ${nameOf(step)}`).join('\n');
}
