import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const timeoutMs = 10_000;

/** Resolves once somebody listens on the port of 127.0.0.1; `assertRunning` throws where nobody ever will. */
export async function waitForPort(port: number, assertRunning: () => void): Promise<void> {
  const start = performance.now();
  while (!(await isOpen(port))) {
    assertRunning();
    if (performance.now() - start > timeoutMs) throw new Error(`nobody listens on port ${port}`);
    await sleep(10);
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
