import { vi } from 'vitest';
import type * as DecisionLog from '../../../src/observe/decision-log.ts';
import type * as Limits from '../../../src/grpc/http2/limits.ts';
import type * as BoundedCache from '../../../src/std/bounded-cache.ts';
import type * as SearchMemory from '../../../src/std/search-memory.ts';
import type * as SharedValues from '../../../src/std/shared-values.ts';
import type * as SmallMemo from '../../../src/std/small-memo.ts';
import type * as CheckOverGrpc from '../check-over-grpc.ts';
import type * as DecisionStand from '../decision-stand.ts';

export type Caches = 'on' | 'off';

/** The program, as far as decisions are made and answered by it. */
export type Program = Pick<typeof DecisionStand, 'createDecisionStand'> &
  Pick<typeof CheckOverGrpc, 'listenOverGrpc'> &
  Pick<typeof DecisionLog, 'createDecisionLog'>;

/**
 * The program loaded once more, with a memory of its own or without any: every cache of the way of a decision is made by one of these
 * modules, which for `off` remember nothing. What must be remembered (used proofs, revocations, keys) is made by others, and stays.
 */
export async function loadProgram(caches: Caches): Promise<Program> {
  vi.resetModules();
  if (caches === 'off') forgetEverything();
  try {
    const [{ createDecisionStand }, { listenOverGrpc }, { createDecisionLog }] = await Promise.all([
      import('../decision-stand.ts'),
      import('../check-over-grpc.ts'),
      import('../../../src/observe/decision-log.ts'),
    ]);
    return { createDecisionStand, listenOverGrpc, createDecisionLog };
  } finally {
    for (const path of Object.values(paths)) vi.doUnmock(path);
    vi.resetModules();
  }
}

const paths = {
  boundedCache: '../../../src/std/bounded-cache.ts',
  sharedValues: '../../../src/std/shared-values.ts',
  smallMemo: '../../../src/std/small-memo.ts',
  searchMemory: '../../../src/std/search-memory.ts',
  limits: '../../../src/grpc/http2/limits.ts',
} as const;

function forgetEverything(): void {
  const nothing = (): undefined => undefined;
  vi.doMock(paths.boundedCache, (): typeof BoundedCache => ({
    createBoundedCache: () => ({
      get: nothing,
      set: nothing,
      delete: nothing,
      deleteWhere: nothing,
      entries: 0,
      bytes: 0,
    }),
  }));
  vi.doMock(paths.sharedValues, (): typeof SharedValues => ({
    createSharedValues: () => (value) => value,
    compileOnce: (compile) => compile,
    createSharedByText: () => ({ get: nothing, set: nothing }),
  }));
  vi.doMock(paths.smallMemo, (): typeof SmallMemo => ({
    createSmallMemo: () => (_key, make) => make(),
    rememberPassed: (_most, isGood) => isGood,
  }));
  vi.doMock(paths.searchMemory, (): typeof SearchMemory => ({
    createSearchMemory: () => ({ searched: (states) => states.clearCache(), bytes: 0 }),
  }));
  vi.doMock(paths.limits, async (original) => ({ ...(await original<typeof Limits>()), rememberedHeadBytes: 0 }));
}
