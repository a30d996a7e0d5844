import { describe, expect, it } from 'vitest';
import { createChangeQueue, type ChangeQueue } from '../../../src/kubernetes/change-queue.ts';
import type { AuthorDocument, SourceChange } from '../../../src/policy/spec.ts';
import type { Logger } from '../../../src/core/ports.ts';
import { createManualTime, settle } from './manual-time.ts';

function documentOf(source: string, version: number): AuthorDocument {
  return { source, value: version, problems: [], placeOf: () => ({ source, line: undefined, column: undefined }) };
}

interface Stand {
  readonly queue: ChangeQueue;
  readonly taken: string[];
  /** What was said to be coming and was not handed on. */
  readonly hasty: readonly string[];
  readonly finish: () => Promise<void>;
  /** What is being taken ends with a mistake of ours. */
  readonly fail: () => Promise<void>;
  readonly advance: (ms: number) => Promise<void>;
  readonly errors: readonly string[];
}

function start(): Stand {
  const taken: string[] = [];
  const hasty: string[] = [];
  const errors: string[] = [];
  const time = createManualTime();
  let finish = (): void => undefined;
  let fail = (_thrown: Error): void => undefined;
  const show = (documents: readonly AuthorDocument[]): string =>
    documents.map(({ source, value }) => `${source}${String(value as number)}`).join(' ');
  const take = ({ removed, changed }: SourceChange): Promise<void> => {
    taken.push(`-[${show(removed)}] +[${show(changed)}]`);
    return new Promise((resolve, reject) => {
      finish = resolve;
      fail = reject;
    });
  };
  return {
    queue: createChangeQueue({
      take,
      hasten: (waiting) => {
        hasty.push(`${show(waiting.removed)}|${show(waiting.changed)}`);
        return () => void hasty.splice(0, 1);
      },
      ports: { timers: time.timers, random: { id: () => '', fraction: () => 1 }, logger: tellErrors(errors) },
    }),
    errors,
    advance: (ms) => time.advance(ms),
    fail: async () => {
      fail(new Error('a mistake'));
      await settle();
    },
    hasty,
    taken,
    finish: async () => {
      finish();
      await settle();
    },
  };
}

function tellErrors(errors: string[]): Logger {
  const nothing = (): void => undefined;
  return { debug: nothing, info: nothing, warn: nothing, error: (_fields, message) => void errors.push(message) };
}

const change = (removed: readonly AuthorDocument[], changed: readonly AuthorDocument[]): SourceChange => ({
  removed,
  changed,
});

describe('the queue of changes', () => {
  it('collects until it is opened, and then hands on one at a time, what came meanwhile together', async () => {
    const { queue, taken, finish } = start();
    queue.add(change([], [documentOf('a', 1)]));
    queue.add(change([], [documentOf('b', 1)]));
    await settle();
    expect(taken).toEqual([]);
    const opened = queue.open();
    queue.add(change([], [documentOf('a', 2)]));
    queue.add(change([], [documentOf('a', 3), documentOf('c', 1)]));
    await finish();
    await finish();
    await opened;
    expect(taken).toEqual(['-[] +[a1 b1]', '-[] +[a3 c1]']);
  });

  it('is open once all that was collected is taken in, however much comes meanwhile', async () => {
    const { queue, taken, finish } = start();
    queue.add(change([], [documentOf('a', 1)]));
    let isOpen = false;
    void queue.open().then(() => (isOpen = true));
    await settle();
    queue.add(change([], [documentOf('a', 2)]));
    expect([isOpen, taken]).toEqual([false, ['-[] +[a1]']]);
    await finish();
    expect([isOpen, taken]).toEqual([true, ['-[] +[a1]', '-[] +[a2]']]);
  });

  it('says what is coming where it has to wait, until it is handed on', async () => {
    const { queue, hasty, finish } = start();
    void queue.open();
    await finish();
    queue.add(change([], [documentOf('a', 1)]));
    expect(hasty).toEqual([]);
    queue.add(change([documentOf('b', 1)], [documentOf('c', 1)]));
    expect(hasty).toEqual(['b1|c1']);
    await finish();
    expect(hasty).toEqual([]);
  });

  it('gives what waits to whoever asks for it, and does not hand it on as well', async () => {
    const { queue, taken, finish } = start();
    const [a, b] = [documentOf('a', 1), documentOf('b', 1)];
    queue.add(change([], [a, b]));
    expect(queue.takeOut().change).toEqual(change([], [a, b]));
    expect(queue.takeOut().change).toEqual(change([], []));
    void queue.open();
    await finish();
    expect(taken).toEqual(['-[] +[]']);
    // What was given counts as taken: the same one is no news, and what is gone was there.
    queue.add(change([], [a]));
    queue.add(change([b], []));
    await finish();
    expect(taken).toEqual(['-[] +[]', '-[b1] +[]']);
  });

  it('hands on nothing at once where there is nothing at the start', async () => {
    const { queue, taken, finish } = start();
    const opened = queue.open();
    await finish();
    await opened;
    expect(taken).toEqual(['-[] +[]']);
  });

  it('removes the version that was taken, not one that nobody saw', async () => {
    const { queue, taken, finish } = start();
    queue.add(change([], [documentOf('a', 1)]));
    void queue.open();
    await settle();
    queue.add(change([], [documentOf('a', 2)]));
    queue.add(change([documentOf('a', 2)], []));
    queue.add(change([], [documentOf('never', 1)]));
    queue.add(change([documentOf('never', 1)], []));
    await finish();
    await finish();
    expect(taken).toEqual(['-[] +[a1]', '-[a1] +[]']);
  });

  it('takes in what was made anew under the name together with the deletion, so that nothing wider decides in between', async () => {
    const { queue, taken, finish } = start();
    queue.add(change([], [documentOf('a', 1)]));
    void queue.open();
    await settle();
    queue.add(change([documentOf('a', 1)], [documentOf('a', 2), documentOf('b', 1)]));
    await finish();
    await finish();
    expect(taken).toEqual(['-[] +[a1]', '-[a1] +[a2 b1]']);
  });

  it('tries what could not be handed on again, with what came meanwhile, and then goes on', async () => {
    const { queue, taken, finish, fail, advance, errors } = start();
    const opened = queue.open();
    await finish();
    await opened;
    queue.add(change([], [documentOf('a', 1), documentOf('b', 1)]));
    await finish();
    taken.length = 0;
    queue.add(change([documentOf('a', 1)], [documentOf('b', 2), documentOf('c', 1)]));
    await fail();
    expect(errors).toEqual(['a change could not be handed on, which is a bug; it is tried again']);
    queue.add(change([], [documentOf('c', 2), documentOf('d', 1)]));
    expect(taken).toEqual(['-[a1] +[b2 c1]']);
    await advance(1000);
    expect(taken).toEqual(['-[a1] +[b2 c1]', '-[a1] +[b2 c2 d1]']);
    await fail();
    // It was removed while it waited: what is in force under its name has to go all the same.
    queue.add(change([documentOf('b', 2)], []));
    await advance(2000);
    await finish();
    queue.add(change([], [documentOf('e', 1)]));
    await finish();
    expect(taken.slice(2)).toEqual(['-[a1 b2] +[c2 d1]', '-[] +[e1]']);
    expect(errors).toHaveLength(2);
  });

  it('does not hand on what could not be after somebody else has handed on what is newer', async () => {
    const { queue, taken, finish, fail, advance } = start();
    const opened = queue.open();
    await finish();
    await opened;
    queue.add(change([], [documentOf('a', 1), documentOf('b', 1), documentOf('c', 1)]));
    await settle();
    queue.add(change([documentOf('b', 1)], [documentOf('a', 2)]));
    const newer = queue.takeOut();
    expect(newer.change).toMatchObject({ removed: [{ source: 'b' }], changed: [{ source: 'a', value: 2 }] });
    newer.settled(true);
    await fail();
    await advance(1000);
    await finish();
    expect(taken.slice(1)).toEqual(['-[] +[a1 b1 c1]', '-[] +[c1]']);
    // The control: what was taken out and could not be handed on waits again.
    queue.add(change([], [documentOf('d', 1)]));
    await settle();
    queue.add(change([], [documentOf('e', 1)]));
    queue.takeOut().settled(false);
    await finish();
    await finish();
    expect(taken.slice(3)).toEqual(['-[] +[d1]', '-[] +[e1]']);
  });

  it('opens once the first change could be handed on', async () => {
    const { queue, taken, finish, fail, advance } = start();
    queue.add(change([], [documentOf('a', 1)]));
    let isOpen = false;
    void queue.open().then(() => (isOpen = true));
    await fail();
    expect([isOpen, taken]).toEqual([false, ['-[] +[a1]']]);
    await advance(1000);
    await finish();
    expect([isOpen, taken]).toEqual([true, ['-[] +[a1]', '-[] +[a1]']]);
  });

  it('hands nothing on for a document that is the one it handed on before, but for one that was deleted meanwhile', async () => {
    const { queue, taken, finish } = start();
    const [one, other] = [documentOf('a', 1), documentOf('a', 2)];
    void queue.open();
    await finish();
    queue.add(change([], [one]));
    await finish();
    taken.length = 0;
    queue.add(change([], [one]));
    await finish();
    expect(taken).toEqual([]);
    queue.add(change([one], [one]));
    await finish();
    await finish();
    queue.add(change([], [other]));
    await finish();
    expect(taken).toEqual(['-[a1] +[a1]', '-[] +[a2]']);
  });
});
