import type { Socket } from 'node:net';
import type { ToWatcher } from './messages.ts';

/** `whenSent` is called when the watcher will hear of it, even if this process ends. */
export type TellWatcher = (message: ToWatcher, whenSent?: () => void) => void;

/**
 * Takes a connection that the watcher has sent; it may have gone on its way here. What the watcher does not know to be here it gives to another
 * worker when this one ends, so it is told before anything is answered.
 */
export function takeConnection(
  number: number,
  socket: Socket | undefined,
  { tell, take }: { readonly tell: TellWatcher; readonly take: (socket: Socket) => void },
): void {
  if (socket === undefined) {
    tell({ kind: 'taken', number });
    tell({ kind: 'closed' });
    return;
  }
  // It may be reset until somebody else listens.
  socket.on('error', () => {});
  socket.once('close', () => tell({ kind: 'closed' }));
  tell({ kind: 'taken', number }, () => {
    if (socket.destroyed) return;
    socket.setNoDelay(true);
    take(socket);
  });
}
