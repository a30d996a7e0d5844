import { setTimeout as sleep } from 'node:timers/promises';

/** Tries until the assertion holds, and fails with its last failure where the time is over (milliseconds). */
export async function eventually<T>(assertion: () => T | Promise<T>, timeoutMs = 15_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (failure) {
      if (performance.now() > end) throw failure;
      await sleep(20);
    }
  }
}
