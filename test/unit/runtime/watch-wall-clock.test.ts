import { expect, test } from 'vitest';
import { watchWallClock } from '../../../src/runtime/watch-wall-clock.ts';
import { manualTime, recordingLog, startSeconds } from '../identity/identity-fixtures.ts';

test('a wall clock that was set is told once, with how far, and time that passes is not', async () => {
  const time = manualTime();
  const log = recordingLog();
  const watch = watchWallClock({ ...time, logger: log });
  await time.advance(60_000);
  expect(log.lines).toEqual([]);
  time.setWall(startSeconds - 3_600);
  await time.advance(60_000);
  time.setWall(startSeconds + 120);
  await time.advance(60_000);
  expect(log.lines.map(({ level, fields }) => [level, fields])).toEqual([
    ['warn', { seconds: -3_660 }],
    ['warn', { seconds: 3_660 }],
  ]);
  watch.close();
  expect(time.pending()).toEqual([]);
});

test('a clock that is led slowly to the right time is left alone', async () => {
  const time = manualTime();
  const log = recordingLog();
  const watch = watchWallClock({ ...time, logger: log });
  for (let looks = 1; looks <= 100; looks++) {
    await time.advance(10_000);
    time.setWall(startSeconds + looks * 10.5);
  }
  expect(log.lines).toEqual([]);
  watch.close();
});
