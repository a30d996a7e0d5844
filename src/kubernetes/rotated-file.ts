import { readFile } from 'node:fs/promises';
import type { Clock } from '../core/ports.ts';

/** The text of a file that somebody renews now and then. */
export interface RotatedFile {
  /** Read again every minute. While it cannot be read, what was read last counts; rejects where nothing was. */
  read(): Promise<string>;
  /** What was read was refused: the next reading is of the file, though not more than once a second. */
  renew(): void;
}

/** Tokens are renewed long before they expire: as often as the clients of Kubernetes itself. */
const freshMs = 60_000;
const renewMs = 1000;

export function createRotatedFile(path: string, clock: Clock): RotatedFile {
  let known: { readonly text: string; readonly at: number } | undefined;
  let staleMs = freshMs;
  return {
    read: async () => {
      const now = clock.monotonic();
      if (known !== undefined && now - known.at < staleMs) return known.text;
      try {
        known = { text: await readFile(path, 'utf8'), at: now };
        staleMs = freshMs;
      } catch (thrown) {
        if (known === undefined) throw thrown;
      }
      return known.text;
    },
    renew: () => {
      staleMs = renewMs;
    },
  };
}
