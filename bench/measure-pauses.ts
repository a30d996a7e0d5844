import { atMost, judgeReach, type Reach } from './aim.ts';
import { createProbeLog, type PauseFigures } from './cluster/probe-log.ts';
import { createLoad } from './load.ts';
import { warmUpSeconds } from './options.ts';
import { startServe } from './start-row.ts';
import { servedRows } from './served-rows.ts';
import type { Stand } from './stand.ts';

/** What the garbage collector stopped the main thread for, under the load of a row. */
export interface PausesFigures {
  readonly rows: readonly PausesOfRow[];
  readonly seconds: number;
  readonly reach: readonly Reach[];
}

export interface PausesOfRow extends PauseFigures {
  readonly name: (typeof names)[number];
  readonly checksPerSecond: number;
}

const names = ['repeated-native', 'rotating-native', 'new-native'] as const;
const seconds = 10;

/** One row after the other, each for some seconds after V8 has warmed up. */
export async function measurePauses(stand: Stand): Promise<PausesFigures> {
  const rows: PausesOfRow[] = [];
  for (const name of names) rows.push(await measureRow(name, stand));
  const reach = rows.map(({ name, longestMs }) =>
    judgeReach(`pauses: the longest, ${name}`, longestMs, atMost(10), 'ms'),
  );
  return { rows, seconds, reach };
}

async function measureRow(name: PausesOfRow['name'], stand: Stand): Promise<PausesOfRow> {
  const probe = createProbeLog(stand.workFolder, `pauses-${name}`);
  const { server, target } = await startServe(name, stand, servedRows[name], probe.nodeFlags);
  try {
    const load = await createLoad(target);
    await load.run(warmUpSeconds);
    const since = Date.now();
    const { answers, unexpected, seconds: took } = await load.run(seconds);
    load.close();
    if (unexpected > 0) throw new Error(`${unexpected} of ${answers} answers of ${name} were not what it expects`);
    return { name, checksPerSecond: answers / took, ...(await probe.pausesSince(since)) };
  } finally {
    await server.stop();
  }
}
