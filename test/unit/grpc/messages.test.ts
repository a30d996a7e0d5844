import { describe, expect, test } from 'vitest';
import { encodeFailedAnswer, encodeFailure } from '../../../src/grpc/answer-blocks.ts';
import { createMessageBudgets, type MessageBudget } from '../../../src/grpc/message-budget.ts';
import { MessageCollector } from '../../../src/grpc/message-collector.ts';
import { parseTimeout } from '../../../src/grpc/parse-timeout.ts';
import { prefixed } from './support/raw-peer.ts';
import { createBlockReader } from './support/read-block.ts';

const mebi = 1024 * 1024;

function countingBudget(most = Infinity): MessageBudget & { taken(): number } {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > most) return false;
      taken += bytes;
      return true;
    },
    give: (bytes) => void (taken -= bytes),
    finished: () => undefined,
    taken: () => taken,
  };
}

/** What came of the pieces: the message, or the first problem. */
function collect(pieces: readonly Buffer[], maxBytes = 1000, budget: MessageBudget = countingBudget()): unknown {
  const collector = new MessageCollector(maxBytes, budget, { giveUp: () => undefined });
  for (const piece of pieces) {
    const problem = collector.add(Buffer.concat([Buffer.from('??'), piece]), 2, 2 + piece.length);
    if (problem !== undefined) return problem;
  }
  const message = collector.take();
  return message === undefined ? undefined : Buffer.from(message).toString('latin1');
}

describe('a message', () => {
  const whole = prefixed(Buffer.from('a message of some length'));

  test('is put together from whatever pieces', () => {
    for (let at = 0; at <= whole.length; at++) {
      expect(collect([whole.subarray(0, at), whole.subarray(at)])).toBe('a message of some length');
    }
    expect(collect([...whole].map((byte) => Buffer.of(byte)))).toBe('a message of some length');
    expect(collect([prefixed(Buffer.alloc(0))])).toBe('');
  });

  test.each<[string, Buffer[], string | undefined]>([
    ['is not there before its last byte', [whole.subarray(0, -1)], undefined],
    ['is not there without a prefix', [Buffer.alloc(4)], undefined],
    ['is one: more bytes are too many', [whole, Buffer.of(0)], 'not-one'],
    ['is one: two at once are too many', [Buffer.concat([whole, whole])], 'not-one'],
    ['that is compressed is known by its first byte', [Buffer.of(1, 0, 0, 0, 9)], 'compressed'],
    ['whose first byte is neither is taken for compressed', [Buffer.of(2, 0, 0, 0, 9)], 'compressed'],
    ['that is too long is known by its prefix', [Buffer.of(0, 0, 0, 3, 0xe9)], 'too-large'],
    ['of 4 GiB is too long', [Buffer.of(0, 255, 255, 255, 255)], 'too-large'],
  ])('%s', (_title, pieces, expected) => {
    expect(collect(pieces)).toBe(expected);
  });

  test('takes memory as it comes in, not as it promises, and gives it back', () => {
    const budget = countingBudget();
    const collector = new MessageCollector(16 * mebi, budget, { giveUp: () => undefined });
    const bytes = prefixed(Buffer.alloc(10 * mebi));
    collector.add(bytes, 0, 5);
    expect(budget.taken()).toBe(512);
    collector.add(bytes, 5, 3 * mebi);
    expect(budget.taken()).toBe(3 * mebi);
    collector.add(bytes, 3 * mebi, 3 * mebi + 1);
    expect(budget.taken()).toBe(6 * mebi);
    collector.add(bytes, 3 * mebi + 1, bytes.length);
    expect(budget.taken()).toBe(bytes.length);
    expect(collector.take()).toHaveLength(10 * mebi);
    collector.release();
    expect(budget.taken()).toBe(0);
  });

  test('for which there is no room is refused', () => {
    expect(collect([prefixed(Buffer.alloc(600))], 1000, countingBudget(600))).toBe('no-room');
    expect(collect([whole], 1000, countingBudget(100))).toBe('no-room');
    expect(collect([prefixed(Buffer.alloc(600))], 1000, countingBudget(605))).toHaveLength(600);
  });
});

describe('a budget', () => {
  /** A message that takes; what it took is given back when it has to make room. */
  function messageOf(budget: MessageBudget) {
    let held = 0;
    const message = {
      isGivenUp: false,
      take(bytes: number) {
        const isTaken = budget.take(bytes, message);
        if (isTaken) held += bytes;
        return isTaken;
      },
      giveUp() {
        message.isGivenUp = true;
        message.release();
      },
      finish: () => budget.finished(message),
      release() {
        budget.finished(message);
        budget.give(held);
        held = 0;
      },
    };
    return message;
  }

  test('bounds each connection', () => {
    const create = createMessageBudgets(8 * mebi);
    const first = create();
    expect([messageOf(first).take(64 * mebi), messageOf(first).take(1), messageOf(create()).take(1)]).toEqual([
      true,
      false,
      true,
    ]);
    const large = createMessageBudgets(256 * mebi)();
    expect([messageOf(large).take(8 * 256 * mebi), messageOf(large).take(1)]).toEqual([true, false]);
  });

  test('of all makes room where it is taken: the messages that are waited for longest go', () => {
    const create = createMessageBudgets(8 * mebi);
    const [waiting, ...old] = Array.from({ length: 8 }, () => messageOf(create()));
    expect([waiting, ...old].map((message) => message?.take(32 * mebi))).toEqual(Array.from({ length: 8 }, () => true));
    waiting?.finish();
    const young = messageOf(create());
    expect(young.take(40 * mebi)).toBe(true);
    // It goes itself no sooner than it must, and what is whole never does.
    expect(young.take(1)).toBe(true);
    expect([waiting, ...old, young].map((message) => message?.isGivenUp)).toEqual([
      false,
      true,
      true,
      ...Array.from({ length: 6 }, () => false),
    ]);
  });

  test('of all takes nothing from who holds no more than the share', () => {
    const create = createMessageBudgets(8 * mebi);
    const whole = Array.from({ length: 4 }, () => messageOf(create()));
    for (const message of whole) {
      expect(message.take(64 * mebi)).toBe(true);
      message.finish();
    }
    const small = [messageOf(create()), messageOf(create())];
    expect(small.map((message) => message.take(1024))).toEqual([true, true]);
    // Neither who asks for more than there is takes theirs.
    expect(messageOf(create()).take(mebi)).toBe(false);
    expect(small.map(({ isGivenUp }) => isGivenUp)).toEqual([false, false]);
    // The control: one that holds more goes.
    whole[0]?.release();
    const large = messageOf(create());
    expect(large.take(60 * mebi)).toBe(true);
    expect(messageOf(create()).take(32 * mebi)).toBe(true);
    expect([large, ...small].map(({ isGivenUp }) => isGivenUp)).toEqual([true, false, false]);
  });

  test('of all leaves each connection its share where nothing can make room', () => {
    const create = createMessageBudgets(8 * mebi);
    const whole = Array.from({ length: 4 }, () => messageOf(create()));
    for (const message of whole) {
      expect(message.take(64 * mebi)).toBe(true);
      message.finish();
    }
    const others = [messageOf(create()), messageOf(create())];
    expect(others.map((message) => [message.take(mebi), message.take(256 * 1024), message.take(1)])).toEqual(
      Array.from({ length: 2 }, () => [false, true, false]),
    );
    for (const message of others) message.release();
    expect(messageOf(create()).take(mebi)).toBe(false);
    whole[0]?.release();
    expect(messageOf(create()).take(mebi)).toBe(true);
  });
});

test.each<[string, number | undefined]>([
  ['200m', 200],
  ['1H', 3_600_000],
  ['2M', 120_000],
  ['99999999S', 99_999_999_000],
  ['500u', 0.5],
  ['0n', 0],
  ['', undefined],
  ['S', undefined],
  ['5', undefined],
  ['-1S', undefined],
  ['1.5S', undefined],
  ['100000000m', undefined],
  ['5s', undefined],
  ['5 S', undefined],
])('the grpc-timeout %j is %s milliseconds', (text, expected) => {
  expect(parseTimeout(text)).toBe(expected);
});

describe('the status of a call that failed', () => {
  const read = (block: Buffer): object => Object.fromEntries(createBlockReader()(block));

  test('is told in trailers, or in the only block of the answer', () => {
    expect(read(encodeFailure('NOT_FOUND', ''))).toEqual({ 'grpc-status': '5' });
    expect(read(encodeFailedAnswer('UNAVAILABLE', 'Later.'))).toEqual({
      ':status': '200',
      'content-type': 'application/grpc',
      'grpc-status': '14',
      'grpc-message': 'Later.',
    });
  });

  test('has a message of printable ASCII, whatever was said, and not too much of it', () => {
    const messageOf = (message: string): unknown =>
      (({ ...read(encodeFailure('INTERNAL', message)) }) as Record<string, string>)['grpc-message'];
    expect(messageOf('100 % größer\r\n\u{1f600}~')).toBe('100 %25 gr%C3%B6%C3%9Fer%0D%0A%F0%9F%98%80~');
    expect(messageOf('x'.repeat(5000))).toHaveLength(1000);
  });
});
