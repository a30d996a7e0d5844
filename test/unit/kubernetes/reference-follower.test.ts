import { describe, expect, it } from 'vitest';
import { createReferenceFollower } from '../../../src/kubernetes/reference-follower.ts';
import { lingerMs } from '../../../src/kubernetes/references.ts';
import type { MaterialRef } from '../../../src/policy/spec.ts';
import { createFakeApi } from './fake-api.ts';
import { createManualTime } from './manual-time.ts';

const routes = (prefix: string, count: number): readonly MaterialRef[] =>
  Array.from({ length: count }, (_, index) => ({ kind: 'HTTPRoute', namespace: 'shop', name: `${prefix}${index}` }));

describe('what documents refer to', () => {
  it('is let go between changes and not while one is taken in, though what lingers ends just then', async () => {
    const time = createManualTime();
    const silent = (): void => undefined;
    const references = createReferenceFollower({
      ports: {
        api: createFakeApi(),
        ...time,
        random: { id: () => 'id', fraction: () => 0 },
        logger: { debug: silent, info: silent, warn: silent, error: silent },
      },
      timing: {},
      onChange: silent,
      onAnswered: silent,
    });
    const take = (source: string, refs: readonly MaterialRef[], createdAt: number): void => {
      references.note(source, refs, createdAt);
      void references.begin();
    };
    const inForce = (source: string, refs: readonly MaterialRef[]): void => {
      references.settle(source, refs);
      references.endOthers();
    };
    const isFollowed = (name: string): boolean => references.state(`HTTPRoute shop/${name}`) !== undefined;
    for (const [source, refs, age] of [
      ['gone', routes('gone', 1), 1],
      ['young', routes('young', 1), 9],
    ] as const) {
      take(source, refs, age);
      inForce(source, refs);
    }
    references.forget('gone');
    references.endOthers();
    // Older, and as many as are followed: once it is in force the young one is left out.
    take('old', routes('old', 100), 2);
    await time.advance(lingerMs);
    expect(['young0', 'old0', 'gone0'].map(isFollowed)).toEqual([true, true, true]);
    inForce('old', routes('old', 100));
    expect(['young0', 'old0', 'gone0'].map(isFollowed)).toEqual([false, true, false]);
    references.close();
  });
});
