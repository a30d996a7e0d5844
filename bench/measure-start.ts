import { atMost, judgeReach, type Reach } from './aim.ts';
import type { Program } from './portcullis-process.ts';
import type { Stand } from './stand.ts';
import { median } from './statistics.ts';

/** From the start of the process to ready (health is SERVING from the same moment on), milliseconds. */
export interface StartFigures {
  /** As the image holds it. */
  readonly bundleMs: number;
  /** As npm ships it. */
  readonly distMs: number;
  /** Of the sources, whose types Node strips as it starts; for information. */
  readonly srcMs: number;
  readonly reach: readonly Reach[];
}

const starts = 5;

/** Medians of several starts with 100 policies, by turns. */
export async function measureStart(stand: Stand): Promise<StartFigures> {
  const policies = await stand.policyFolder(10, 10);
  const programs: readonly Program[] = [await stand.bundle(), { kind: 'dist' }, { kind: 'src' }];
  const times = programs.map((): number[] => []);
  for (let start = 0; start < starts; start++) {
    for (const [index, program] of programs.entries()) {
      const flags = ['--transport', 'native'];
      const server = await stand.startPortcullis({ name: `start-${program.kind}`, policies, program, flags });
      await server.stop();
      times[index]?.push(server.readyAfterMs);
    }
  }
  const [bundleMs = Number.NaN, distMs = Number.NaN, srcMs = Number.NaN] = times.map(median);
  return { bundleMs, distMs, srcMs, reach: [judgeReach('start: the bundle', bundleMs, atMost(400), 'ms')] };
}
