import { parentPort } from 'node:worker_threads';

/** Does what the password says. */
parentPort?.on('message', ({ password }: { readonly password: string }) => {
  if (password === 'exit') process.exit(1);
  if (password === 'throw') throw new Error('thrown on purpose');
  parentPort?.postMessage({ matches: true });
});
