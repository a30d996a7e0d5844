import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fuzz, fuzzTimeout } from '../../support/fuzz.ts';
import { differencesOf } from './support/differential/accepted-differences.ts';
import { observe, type Observation } from './support/differential/observe.ts';
import { startReference } from './support/differential/reference-server.ts';
import { frameByFrame, inPieces, print, script, startOurs, type Script } from './support/differential/script.ts';

const [againstReference, againstItself] = [5, 2.5];
/** What an answer that is only late may take. */
const patienceMs = 60;

test(
  'a peer sees of the native transport what it sees of node:http2, whatever it sends',
  fuzzTimeout(againstReference),
  async () => {
    const [ours, theirs] = [await startOurs('later'), await startReference()];
    const seen = { alive: 0, ended: 0, answered: 0, reset: 0 };
    const compare = async (one: Script, patience: number): Promise<readonly unknown[]> => {
      const writes = frameByFrame(one);
      const [native, reference] = await Promise.all([
        observe(ours, writes, patience),
        observe(theirs, writes, patience),
      ]);
      seen[native.connection === 'alive' ? 'alive' : 'ended']++;
      for (const { end } of native.streams.values()) if (end !== 'open') seen[end === 'ended' ? 'answered' : 'reset']++;
      return differencesOf(native, reference, one.pieces);
    };
    await fuzz(
      fc.asyncProperty(script, async (one) => {
        if ((await compare(one, 0)).length > 0) expect(await compare(one, patienceMs)).toEqual([]);
      }),
      againstReference,
      print,
    );
    // Enough of each, so that nothing is compared with nothing.
    expect(Math.min(seen.alive, seen.ended, seen.answered, seen.reset), JSON.stringify(seen)).toBeGreaterThan(10);
  },
);

test('it sees the same wherever its bytes are cut', fuzzTimeout(againstItself), async () => {
  const ours = await startOurs('at once');
  const told = ({ connection, settings, pings, streams }: Observation): unknown => ({
    connection,
    settings,
    pings,
    streams,
  });
  await fuzz(
    fc.asyncProperty(script, async (one) => {
      const [slow, fast] = await Promise.all([observe(ours, frameByFrame(one), 0), observe(ours, inPieces(one), 0)]);
      expect(told(fast)).toEqual(told(slow));
    }),
    againstItself,
    print,
  );
});
