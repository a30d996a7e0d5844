import { expect, it } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { compileAnswers } from '../../../src/runtime/workers/answer-questions.ts';
import { createWatcherPorts } from '../../../src/runtime/workers/ask-watcher.ts';
import { createManualTime, settle } from '../kubernetes/manual-time.ts';

const limits = { timeoutMs: 5000, maxBytes: 1000, ca: undefined };

/** A worker's ports on a watcher that answers, or not. */
function createStand(isAnswering = true) {
  const time = createManualTime();
  const used = new Set<string>();
  const answer = compileAnswers(
    {
      getShared: async (url) => {
        if (url.endsWith('/secret')) throw new Error('token abc of an unknown error');
        if (url.endsWith('/down')) throw new Failure('http_status', 'the answer is 500');
        return { body: new TextEncoder().encode(url), ageMs: 5 };
      },
      recall: async (url) => (url.endsWith('/known') ? { body: new Uint8Array([1]), ageMs: 7 } : undefined),
    },
    {
      remember: (key) => {
        if (used.size === 2 && !used.has(key)) throw new Failure('store_unavailable', 'more than 2 are remembered');
        return used.size < used.add(key).size;
      },
    },
  );
  const ports = createWatcherPorts((message) => {
    if (message.kind !== 'question' || !isAnswering) return;
    void answer(structuredClone(message.question)).then((said) =>
      ports.answered(message.number, structuredClone(said)),
    );
  }, time.timers);
  return { ...time, ports };
}

it('one memory says to all who was first', async () => {
  const { ports } = createStand();
  expect([await ports.replays.remember('a', 1000), await ports.replays.remember('a', 1000)]).toEqual([true, false]);
  await ports.replays.remember('b', 1000);
  await expect(ports.replays.remember('c', 1000)).rejects.toMatchObject({ code: 'store_unavailable' });
});

it('what the watcher does not answer within a second counts as not remembered', async () => {
  const { ports, ...time } = createStand(false);
  const asked = ports.replays.remember('a', 1000) as Promise<boolean>;
  const outcome = asked.catch((failure: unknown) => failure);
  await time.advance(1000);
  expect(await outcome).toMatchObject({ code: 'store_unavailable' });
  const fetched = ports.getShared('https://idp.example', limits).catch((failure: unknown) => failure);
  await time.advance(6000);
  expect(await fetched).toMatchObject({ code: 'watcher_silent' });
});

it('what is fetched comes through with its age, and of what fails its code, and nothing that may hold a secret', async () => {
  const { ports } = createStand();
  expect(await ports.getShared('https://idp.example/keys', limits)).toEqual({
    body: new TextEncoder().encode('https://idp.example/keys'),
    ageMs: 5,
  });
  await expect(ports.getShared('https://idp.example/down', limits)).rejects.toMatchObject({
    code: 'http_status',
    message: 'the answer is 500',
  });
  await expect(ports.getShared('https://idp.example/secret', limits)).rejects.toMatchObject({
    code: 'internal_error',
    message: 'the process that watches could not answer',
  });
  expect(await ports.recall('https://idp.example/known', limits)).toEqual({ body: new Uint8Array([1]), ageMs: 7 });
  expect(await ports.recall('https://idp.example/other', limits)).toBeUndefined();
  await settle();
});
