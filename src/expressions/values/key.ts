import { Uint, type Key, type Value } from './value.ts';

/** The key that a value stands for; numbers that are equal are one key. Undefined for what no map can hold. */
export function toKey(value: Value): Key | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  return value instanceof Uint ? value.value : undefined;
}
