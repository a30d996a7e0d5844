import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, judgeReach, type Reach } from './aim.ts';
import { openCallConnection, type CallConnection } from './call-connection.ts';
import { encodeCallHeaders } from './call-headers.ts';
import { encodeCheckMessage } from './check-message.ts';
import { createProbeLog, type DelayFigures, type ProbeLog, type StopFigures } from './cluster/probe-log.ts';
import { checkPath } from './load.ts';
import { hostName, policyFile, policyPath, policyText } from './policy-folder.ts';
import type { Stand } from './stand.ts';
import { verdictOf, type Verdict } from './verdict.ts';

/** What the event loop does while policies change. */
export interface UpdateFigures {
  readonly policies: number;
  /** Written one after the other, and all at once. */
  readonly inTurn: UpdateStops;
  readonly atOnce: UpdateStops;
  readonly reach: readonly Reach[];
}

export interface UpdateStops {
  readonly delay: DelayFigures;
  readonly stops: StopFigures;
  /** From the first write until the last policy is enforced. */
  readonly seconds: number;
}

const policies = 1000;
const pauseMs = 5;
const settleMs = 1000;
const timeoutMs = 30_000;

/** A policy a file and a host; one check is asked after the other all the while, so that the loop has something to be late for. */
export async function measureUpdates(stand: Stand): Promise<UpdateFigures> {
  const folder = await stand.policyFolder(policies, 1);
  const probe = createProbeLog(stand.workFolder, 'updates');
  const flags = ['--transport', 'native'];
  const server = await stand.startPortcullis({ name: 'updates', policies: folder, flags, nodeFlags: probe.nodeFlags });
  const connection = await openCallConnection(server.address, encodeCallHeaders(checkPath, 'portcullis.bench'));
  try {
    const run: Run = { folder, probe, pid: server.pid, connection, token: await stand.mintToken('alice') };
    const inTurn = await update(run, 'denied', pauseMs);
    const atOnce = await update(run, 'allow', undefined);
    const judge = (what: string, { delay }: UpdateStops): Reach =>
      judgeReach(`change: the event loop, p99, ${policies} updates ${what}`, delay.p99Ms, atMost(5), 'ms');
    return { policies, inTurn, atOnce, reach: [judge('in turn', inTurn), judge('at once', atOnce)] };
  } finally {
    connection.close();
    await server.stop();
  }
}

interface Run {
  readonly folder: string;
  readonly probe: ProbeLog;
  readonly pid: number;
  readonly connection: CallConnection;
  readonly token: string;
}

/** Changes every policy to that verdict, with a pause behind each or without any. */
async function update(run: Run, wanted: Verdict, pause: number | undefined): Promise<UpdateStops> {
  const { folder, probe, pid } = run;
  await askFor(run, settleMs);
  await probe.takeDelay(pid);
  // The probe begins to count a moment later.
  await sleep(200);
  const since = Date.now();
  const asking = new AbortController();
  const asked = askUntil(run, asking.signal);
  const readers = wanted === 'denied' ? ['clerk'] : undefined;
  const write = (host: number): Promise<void> => writeFile(policyFile(folder, host), policyText(host, 0, readers));
  const hosts = Array.from({ length: policies }, (_host, host) => host);
  if (pause === undefined) await Promise.all(hosts.map(write));
  for (const host of pause === undefined ? [] : hosts) {
    await write(host);
    await sleep(pause);
  }
  for (const host of hosts) await untilEnforced(run, host, wanted);
  const until = Date.now();
  const delay = await probe.takeDelay(pid);
  // The probe's own collection, which comes with the answer, is no stop of the service.
  const stops = await probe.stopsSince(since, until);
  asking.abort();
  await asked;
  return { delay, stops, seconds: (until - since) / 1000 };
}

async function untilEnforced(run: Run, host: number, wanted: Verdict): Promise<void> {
  const start = performance.now();
  while ((await ask(run, host)) !== wanted) {
    if (performance.now() - start > timeoutMs) throw new Error('a changed policy did not decide within 30 s');
    await sleep(1);
  }
}

async function askFor(run: Run, ms: number): Promise<void> {
  const over = new AbortController();
  setTimeout(() => over.abort(), ms);
  await askUntil(run, over.signal);
}

/** A check a millisecond, one after the other. */
async function askUntil(run: Run, over: AbortSignal): Promise<void> {
  for (let host = 0; !over.aborted; host = (host + 1) % policies) {
    await ask(run, host);
    await sleep(1);
  }
}

function ask({ connection, token }: Run, host: number): Promise<Verdict> {
  const message = encodeCheckMessage({ host: hostName(host), path: policyPath(0), token });
  return new Promise((resolve) => connection.call(message, (start) => resolve(verdictOf(start))));
}
