import { Failure } from '../core/failure.ts';
import type { Timers } from '../core/ports.ts';

/** What the promise comes to, or a Failure `store_unavailable` after that many milliseconds; what comes later is nobody's. */
export function within<T>(timers: Timers, timeoutMs: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = timers.after(timeoutMs, () =>
    late.reject(new Failure('store_unavailable', `no answer within ${timeoutMs} ms`)),
  );
  return Promise.race([promise, late.promise]).finally(cancel);
}
