import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { ToWatcher } from '../../../src/runtime/workers/messages.ts';
import { createWatcherChannel } from '../../../src/runtime/workers/watcher-channel.ts';

/** The end of a channel whose messages arrive, or not, when the test says so. */
class FakeEnd extends EventEmitter {
  connected = true;
  readonly sent: ToWatcher[] = [];
  readonly callbacks: ((error: Error | null) => void)[] = [];

  send(message: ToWatcher, _handle: undefined, _options: undefined, callback: (error: Error | null) => void): boolean {
    this.sent.push(message);
    this.callbacks.push(callback);
    return true;
  }
}

function setUp() {
  const end = new FakeEnd();
  const gone: string[] = [];
  return { end, gone, tell: createWatcherChannel(end, (how) => gone.push(how)) };
}

const brokenPipe = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });

it('tells, and says when the watcher will hear of it', () => {
  const { end, gone, tell } = setUp();
  let heard = 0;
  tell({ kind: 'beat' }, () => heard++);
  expect([end.sent, heard]).toEqual([[{ kind: 'beat' }], 0]);
  end.callbacks[0]?.(null);
  expect([heard, gone]).toEqual([1, []]);
});

it('finds by what cannot be sent that the watcher is gone, once, and tells nothing more', () => {
  const { end, gone, tell } = setUp();
  let heard = 0;
  tell({ kind: 'beat' }, () => heard++);
  tell({ kind: 'beat' }, () => heard++);
  for (const callback of end.callbacks) callback(brokenPipe);
  end.emit('disconnect');
  tell({ kind: 'beat' });
  expect([gone, heard, end.sent.length]).toEqual([['EPIPE'], 0, 2]);
});

it('sends nothing on a channel that is closed', () => {
  const { end, gone, tell } = setUp();
  end.connected = false;
  tell({ kind: 'beat' });
  expect([gone, end.sent]).toEqual([['disconnected'], []]);
});

it('hears of a closed channel while it has nothing to tell', () => {
  const { end, gone } = setUp();
  end.emit('disconnect');
  expect(gone).toEqual(['disconnected']);
});
