import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, judgeReach, type Reach } from './aim.ts';
import { openCallConnection, type CallConnection } from './call-connection.ts';
import { encodeCallHeaders } from './call-headers.ts';
import { encodeCheckMessage } from './check-message.ts';
import { checkPath, connectionShape } from './load.ts';
import { hostName, policyPath } from './policy-folder.ts';
import { residentMegabytesOf } from './process-figures.ts';
import type { PortcullisProcess, Program } from './portcullis-process.ts';
import type { Stand } from './stand.ts';
import { median } from './statistics.ts';
import { verdictOf } from './verdict.ts';

/** Resident memory of `serve` with one policy, MB. */
export interface MemoryFigures {
  /** Idle, as npm ships it, and as the image holds it: medians of some starts. The kernel maps 5 MB more or less of Node's program file. */
  readonly distMb: number;
  readonly bundleMb: number;
  /** Of the latter, some seconds after so many different tokens were verified. */
  readonly afterTokensMb: number;
  readonly tokens: number;
  readonly reach: readonly Reach[];
}

const idleMs = 5000;
const starts = 3;
const tokens = 200_000;

export async function measureMemory(stand: Stand): Promise<MemoryFigures> {
  const policies = await stand.policyFolder(1, 1, { alg: 'ES256' });
  const flags = ['--transport', 'native'];
  const start = (program: Program): Promise<PortcullisProcess> =>
    stand.startPortcullis({ name: `memory-${program.kind}`, policies, flags, program });
  const idleOf = async (program: Program): Promise<number> => {
    const found: number[] = [];
    while (found.length < starts) {
      const server = await start(program);
      await sleep(idleMs);
      found.push(residentMegabytesOf(server.pid));
      await server.stop();
    }
    return median(found);
  };
  const bundle = await stand.bundle();
  const [distMb, bundleMb] = [await idleOf({ kind: 'dist' }), await idleOf(bundle)];
  const server = await start(bundle);
  try {
    const connection = await openCallConnection(server.address, encodeCallHeaders(checkPath, 'portcullis.bench'));
    await showTokens(stand, connection);
    connection.close();
    await sleep(idleMs);
    const afterTokensMb = residentMegabytesOf(server.pid);
    const reach = [
      judgeReach('memory: the bundle, idle', bundleMb, atMost(80), 'MB'),
      judgeReach(`memory: after ${tokens} tokens`, afterTokensMb, atMost(150), 'MB'),
    ];
    return { distMb, bundleMb, afterTokensMb, tokens, reach };
  } finally {
    await server.stop();
  }
}

/** Every token for the first time. The load signs them meanwhile, which takes it longer than verifying takes the server. */
async function showTokens(stand: Stand, connection: CallConnection): Promise<void> {
  let shown = 0;
  const work = async (): Promise<void> => {
    while (shown < tokens) {
      const token = await stand.mintToken(`user-${shown++}`, { alg: 'ES256' });
      const message = encodeCheckMessage({ host: hostName(0), path: policyPath(0), token });
      const verdict = await new Promise((resolve) => connection.call(message, (start) => resolve(verdictOf(start))));
      if (verdict !== 'allow') throw new Error(`a token that was new was answered with ${String(verdict)}`);
    }
  };
  await Promise.all(Array.from({ length: connectionShape.callsInFlight }, work));
}
