import { expect, it } from 'vitest';
import { readMeta } from '../../../src/kubernetes/api-object.ts';
import { toClusterDocument } from '../../../src/kubernetes/cluster-document.ts';
import type { ConditionReason } from '../../../src/kubernetes/conditions.ts';
import type { Transition } from '../../../src/kubernetes/desired-status.ts';
import { createTransitionTeller, type TransitionTeller } from '../../../src/kubernetes/transition-teller.ts';
import { createManualTime, type ManualTime } from './manual-time.ts';

const object = {
  metadata: { namespace: 'shop', name: 'orders', uid: 'u', resourceVersion: '1', generation: 1 },
  spec: {},
};
const orders = toClusterDocument(object, readMeta(object), 'AccessPolicy');

function start(): { readonly teller: TransitionTeller; readonly time: ManualTime; readonly told: string[] } {
  const time = createManualTime();
  const told: string[] = [];
  const events = {
    record: async (_about: object, { type, reason }: { readonly type: string; readonly reason: string }) =>
      void told.push(`${type} ${reason}`),
  };
  return { teller: createTransitionTeller(events, time.timers), time, told };
}

function programmed(was: string | undefined, status: 'True' | 'False', reason: ConditionReason): Transition {
  return { type: 'Programmed', status, reason, message: '', was };
}

const pendingAfter = (was: string | undefined): Transition => programmed(was, 'False', 'Pending');
const nowProgrammed = programmed('False/Pending', 'True', 'Programmed');

it('tells nothing of what is in the end as it was before', async () => {
  const { teller, time, told } = start();
  for (let turn = 0; turn < 3; turn++) {
    await teller.tell(orders, pendingAfter('True/Programmed'));
    await time.advance(5000);
    await teller.tell(orders, nowProgrammed);
  }
  await time.advance(60_000);
  expect(told).toEqual([]);
});

it('tells where it arrived, and not that it was on its way', async () => {
  const { teller, time, told } = start();
  await teller.tell(orders, pendingAfter(undefined));
  await teller.tell(orders, nowProgrammed);
  await teller.tell(orders, pendingAfter('True/Programmed'));
  await teller.tell(orders, programmed('False/Pending', 'False', 'ReplicasDisagree'));
  await time.advance(60_000);
  expect(told).toEqual(['Normal Programmed', 'Warning ReplicasDisagree']);
});

it('tells that it is on its way where that takes long, and then that it arrived', async () => {
  const { teller, time, told } = start();
  await teller.tell(orders, pendingAfter('True/Programmed'));
  await time.advance(9900);
  expect(told).toEqual([]);
  await time.advance(200);
  await teller.tell(orders, nowProgrammed);
  expect(told).toEqual(['Normal Pending', 'Normal Programmed']);
});

it('tells no more when it is closed', async () => {
  const { teller, time, told } = start();
  await teller.tell(orders, pendingAfter('True/Programmed'));
  teller.close();
  await time.advance(60_000);
  expect(told).toEqual([]);
});
