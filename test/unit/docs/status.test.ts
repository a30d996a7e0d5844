import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { conditionReasons } from '../../../src/kubernetes/conditions.ts';
import { electionTiming } from '../../../src/kubernetes/leader-election.ts';
import { leaseSeconds, renewMs } from '../../../src/kubernetes/replica-lease.ts';
import { sweepMs } from '../../../src/kubernetes/replicas.ts';
import { patienceMs } from '../../../src/kubernetes/transition-teller.ts';

test('docs/status.md lists every reason of a condition, and no other, with its meaning', async () => {
  const text = await readFile(new URL('../../../docs/status.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `([A-Z]\w+)` \| (.+) \|$/gmu)].map(([, reason = '', meaning = '']) => [
    reason,
    meaning,
  ]);
  expect(rows).toEqual(Object.entries(conditionReasons));
});

test('docs/status.md says how long a dead replica is counted, as the program has it', async () => {
  const text = await readFile(new URL('../../../docs/status.md', import.meta.url), 'utf8');
  const { leaseMs, retryMs } = electionTiming;
  // It is tried every `retryMs` and up to a fifth more, and the last renewal may have been seen one try late.
  const leads = Math.ceil((leaseMs + 2 * 1.2 * retryMs) / 1000);
  expect(text).toContain(
    `The Lease of the leader is for ${leaseMs / 1000} seconds, and is tried every ${retryMs / 1000} to ${(1.2 * retryMs) / 1000} seconds: another one leads within ${leads} seconds.`,
  );
  expect(text).toContain(
    `That Lease is renewed every ${renewMs / 1000} seconds, is for ${leaseSeconds} seconds, and is looked at every ${sweepMs / 1000}: the dead replica is gone from status within ${leaseSeconds + sweepMs / 1000} seconds.`,
  );
  expect(text).toContain(`takes longer than ${patienceMs / 1000} seconds`);
});
