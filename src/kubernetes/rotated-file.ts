import { readFile } from 'node:fs/promises';
import type { Clock } from '../core/ports.ts';

/** Tokens are renewed long before they expire: as often as the clients of Kubernetes itself. */
const freshMs = 60_000;

/** The text of a file that somebody renews now and then: read again every minute. While it cannot be read, what was read last counts; rejects where nothing was. */
export function createRotatedFile(path: string, clock: Clock): () => Promise<string> {
  let known: { readonly text: string; readonly at: number } | undefined;
  return async () => {
    const now = clock.monotonic();
    if (known !== undefined && now - known.at < freshMs) return known.text;
    try {
      known = { text: await readFile(path, 'utf8'), at: now };
    } catch (thrown) {
      if (known === undefined) throw thrown;
    }
    return known.text;
  };
}
