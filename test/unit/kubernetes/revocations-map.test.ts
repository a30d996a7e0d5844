import { expect, it } from 'vitest';
import type { RevocationListHandle, RevocationListReading } from '../../../src/core/revocation.ts';
import { markCut, materialBounds } from '../../../src/kubernetes/object-bounds.ts';
import { followRevocationsMap } from '../../../src/kubernetes/revocations-map.ts';
import { runAtOnce } from '../../../src/std/steps.ts';
import { createFakeApi } from './fake-api.ts';
import { createManualTime } from './manual-time.ts';

it.each([
  ['that was read whole and is empty revokes nobody', false, undefined],
  [
    'of which not all is known cannot be read, and is not taken for an empty one',
    true,
    expect.stringContaining('data'),
  ],
])('a ConfigMap of revocations %s', async (_title, isCut, problem) => {
  const api = createFakeApi();
  const object = api.put('revoked', 1, { data: {} });
  if (isCut)
    api.request = async () => ({ metadata: { resourceVersion: '1' }, items: [markCut(object, materialBounds)] });
  const readings: RevocationListReading[] = [];
  const list: RevocationListHandle = {
    take: async (steps) => void readings.push(runAtOnce(steps)),
    fail: () => undefined,
    confirm: () => undefined,
  };
  const silent = (): void => undefined;
  const map = followRevocationsMap({ namespace: 'shop', name: 'revoked' }, list, {
    api,
    ...createManualTime(),
    random: { id: () => 'id', fraction: () => 0 },
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  });
  await map.answered;
  map.close();
  expect(readings).toEqual([{ entries: [], problem }]);
});
