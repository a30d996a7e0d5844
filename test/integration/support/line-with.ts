import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 20;

/** The first line of the log with that message, once it is there. Throws with everything that was written where it does not come in 15 s. */
export async function lineWith(
  process: { output(): string },
  message: string,
): Promise<Readonly<Record<string, unknown>>> {
  const deadline = performance.now() + 15_000;
  while (performance.now() < deadline) {
    const lines = process.output().split('\n');
    const line = lines.find((candidate) => candidate.includes(`"msg":"${message}"`));
    if (line !== undefined) return JSON.parse(line) as Record<string, unknown>;
    await delay(pollMs);
  }
  throw new Error(`no line "${message}": ${process.output()}`);
}
