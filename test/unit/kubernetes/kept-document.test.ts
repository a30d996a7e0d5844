import { expect, it, vi } from 'vitest';
import type { Problem } from '../../../src/core/problem.ts';
import { KeptDocument } from '../../../src/kubernetes/kept-document.ts';

const value = { kind: 'AccessPolicy', spec: { hosts: ['a.example'] } };
const problems: readonly Problem[] = [];
const parts = {
  source: 'AccessPolicy shop/orders',
  problems,
  version: { uid: 'u-1', generation: 3, createdAt: 1_795_000_000_000 },
  text: JSON.stringify(value),
};

it('gives the value that it was made of while somebody has it, and what its text says else', () => {
  expect(new KeptDocument({ ...parts, value }).value).toBe(value);
  const gone = new KeptDocument({ ...parts, value, text: '{"kind":"AccessPolicy"}' });
  const forgotten = vi.spyOn(WeakRef.prototype, 'deref').mockReturnValue(undefined);
  expect(gone.value).toEqual({ kind: 'AccessPolicy' });
  forgotten.mockRestore();
});

it('has its source for a place, and its version', () => {
  const { source, version, ...document } = new KeptDocument({ ...parts, value });
  expect([source, version, document.problems]).toEqual([parts.source, parts.version, problems]);
  expect(new KeptDocument({ ...parts, value }).placeOf()).toEqual({ source, line: undefined, column: undefined });
});
