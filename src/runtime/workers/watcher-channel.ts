import type { TellWatcher } from './take-connection.ts';
import type { ToWatcher } from './messages.ts';

/** What a worker's own process is to it: the end of a channel to the watcher. */
export interface ChannelEnd {
  readonly connected: boolean;
  /** Absent where the process is nobody's worker. */
  send?(message: ToWatcher, handle: undefined, options: undefined, callback: (error: Error | null) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
}

/**
 * What tells the watcher. A watcher that dies while a worker is busy is missed first by whoever tells it something: `onGone` is called once,
 * whichever comes first, with what was found, and nothing is told from then on.
 */
export function createWatcherChannel(end: ChannelEnd, onGone: (how: string) => void): TellWatcher {
  let isGone = false;
  const gone = (how: string): void => {
    if (isGone) return;
    isGone = true;
    onGone(how);
  };
  end.on('disconnect', () => gone('disconnected'));
  return (message, whenSent) => {
    if (isGone) return;
    if (!end.connected || end.send === undefined) {
      gone('disconnected');
      return;
    }
    end.send(message, undefined, undefined, (error) => {
      if (error === null) whenSent?.();
      else gone('code' in error && typeof error.code === 'string' ? error.code : error.name);
    });
  };
}
