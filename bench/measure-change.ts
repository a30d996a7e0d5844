import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeCallHeaders } from './call-headers.ts';
import { openCallConnection, type CallConnection } from './call-connection.ts';
import { encodeCheckMessage } from './check-message.ts';
import { checkPath } from './load.ts';
import { hostName, policyFile, policyPath, policyText } from './policy-folder.ts';
import type { Stand } from './stand.ts';
import { median } from './statistics.ts';
import { verdictOf, type Verdict } from './verdict.ts';

export interface ChangeFigures {
  readonly inPlace: ChangeTimes;
  /** Written beside the folder and renamed into it, as editors do. */
  readonly renamed: ChangeTimes;
}

export interface ChangeTimes {
  readonly changes: number;
  readonly medianMs: number;
  readonly maxMs: number;
}

type Write = (file: string, text: string) => Promise<void>;

const changes = 12;
const timeoutMs = 10_000;
const changedHost = 7;

/** From before the write of a policy that takes a role away, or gives it back, to the first answer by it. */
export async function measureChange(stand: Stand): Promise<ChangeFigures> {
  const folder = await stand.policyFolder(10, 10);
  const server = await stand.startPortcullis({ name: 'change', policies: folder });
  const connection = await openCallConnection(server.address, encodeCallHeaders(checkPath, 'portcullis.bench'));
  try {
    const token = await stand.mintToken('alice');
    const message = encodeCheckMessage({ host: hostName(changedHost), path: policyPath(0), token });
    const file = policyFile(folder, changedHost);
    const besides = join(stand.workFolder, 'changed.yaml');
    const inPlace: Write = (path, text) => writeFile(path, text);
    const renamed: Write = async (path, text) => {
      await writeFile(besides, text);
      await rename(besides, path);
    };
    const timesOf = (write: Write): Promise<ChangeTimes> => changeTimes(file, write, () => ask(connection, message));
    return { inPlace: await timesOf(inPlace), renamed: await timesOf(renamed) };
  } finally {
    connection.close();
    await server.stop();
  }
}

async function changeTimes(file: string, write: Write, check: () => Promise<Verdict>): Promise<ChangeTimes> {
  const times: number[] = [];
  for (let change = 0; change < changes; change++) {
    const takesAway = change % 2 === 0;
    const texts = Array.from({ length: 10 }, (_policy, policy) =>
      policyText(changedHost, policy, takesAway ? ['clerk'] : undefined),
    );
    const start = performance.now();
    await write(file, texts.join('---\n'));
    const wanted: Verdict = takesAway ? 'denied' : 'allow';
    while ((await check()) !== wanted) {
      if (performance.now() - start > timeoutMs) throw new Error('a changed policy did not decide within 10 s');
      await sleep(1);
    }
    times.push(performance.now() - start);
    // Never in step with whatever the service does at intervals.
    await sleep(60 + 37 * change);
  }
  return { changes, medianMs: median(times), maxMs: Math.max(...times) };
}

function ask(connection: CallConnection, message: Uint8Array): Promise<Verdict> {
  return new Promise((resolve) => {
    connection.call(message, (answer) => resolve(verdictOf(answer)));
  });
}
