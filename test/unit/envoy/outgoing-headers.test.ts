import { expect, test } from 'vitest';
import { removableHeader } from '../../../src/envoy/outgoing-headers.ts';
import { heapGrowth } from '../../support/heap-growth.ts';

test('a name that is remembered does not keep the message in memory that it was cut out of', () => {
  const nameOf = (n: number): string => Buffer.alloc(50_000, `x_user_identity_${n}_`).toString('latin1').slice(0, 30);
  expect(heapGrowth(200, (n) => removableHeader(nameOf(n)).length)).toBeLessThan(1_000_000);
});
