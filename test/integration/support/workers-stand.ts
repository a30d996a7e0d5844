import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { startIssuer, type Issuer } from '../../../src/dev/issuer.ts';
import {
  checkOf,
  createCheckClient,
  encodeCheck,
  type CheckAnswer,
  type CheckClient,
} from '../../support/check-over-grpc.ts';
import { eventually } from '../../support/eventually.ts';
import { getText, startServe, type ServeProcess } from './serve-process.ts';

/** A folder of policies, and `serve` with two workers on it; all new for every test. */
export interface WorkersStand {
  readonly pathOf: (name: string) => string;
  /** Writes a policy file at once, as an operator's tool does. */
  readonly write: (name: string, text: string) => void;
  /** With two workers; further flags may say otherwise. Resolves when its ports answer, ready or not. */
  readonly serve: (...flags: readonly string[]) => Promise<ServeProcess>;
  /** Of the audience `orders`. */
  readonly issuer: () => Promise<Issuer>;
  /** A client with a connection of its own, which is another worker's than that of the client before. */
  readonly client: (service: ServeProcess) => CheckClient;
  /** Calls it when the test has ended, the last one first. */
  readonly onEnd: (close: () => unknown) => void;
}

/** To be called where a test file begins. */
export function useWorkersStand(): WorkersStand {
  let folder = '';
  let policies = '';
  const closers: (() => unknown)[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'portcullis-workers-'));
    policies = mkdtempSync(join(folder, 'policies-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
  });
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  });
  return {
    pathOf: (name) => join(folder, name),
    write: (name, text) => {
      writeFileSync(join(folder, name), text);
      renameSync(join(folder, name), join(policies, name));
    },
    serve: async (...flags) => {
      const local = ['--allowed-private-address', '127.0.0.0/8'];
      const service = await startServe(policies, [...local, '--workers', '2', ...flags]);
      closers.push(() => service.close());
      return service;
    },
    issuer: async () => {
      const started = await startIssuer(0, 'orders');
      closers.push(() => started.close());
      return started;
    },
    client: (service) => {
      const made = createCheckClient(service.grpcAddress);
      closers.push(() => made.close());
      return made;
    },
    onEnd: (close) => void closers.push(close),
  };
}

export const policy = (access: string, host = 'a.example'): string => `apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: a, namespace: shop}
spec: {hosts: [${host}], rules: [{name: r, matches: [{path: {type: PathPrefix, value: /}}], access: ${access}}]}
`;

/** `more` stands behind the audiences. */
export const withProvider = (iss: string, more = ''): string => `apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "${iss}", audiences: [orders]${more}}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: a, namespace: shop}
spec: {hosts: [a.example], authentication: {providers: [{name: idp}]}, rules: [{name: r, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]}
`;

/** `allow`, or the status and the code of the denial. */
export async function ask(
  from: CheckClient,
  token?: string,
  headers: readonly (readonly [string, string])[] = [],
): Promise<string> {
  const request = { method: 'GET', host: 'a.example', path: '/', headers, clientIp: undefined };
  return outcome(await from.send(encodeCheck(checkOf(request, token, 'joined'))));
}

function outcome(answer: CheckAnswer): string {
  if (answer.status?.code === 0) return 'allow';
  const body = JSON.parse(answer.deniedResponse?.body ?? '{}') as { error?: string };
  return `${answer.deniedResponse?.status?.code} ${body.error}`;
}

/** The processes of the workers that were started last, by number. */
export function pidsOf(service: ServeProcess): readonly number[] {
  const pids = new Map<unknown, number>();
  for (const { msg, worker, pid } of service.lines()) if (msg === 'a worker has started') pids.set(worker, Number(pid));
  return [...pids].toSorted(([a], [b]) => Number(a) - Number(b)).map(([, pid]) => pid);
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Ends the first worker at once; resolves when another one has taken its place. */
export async function replaceWorker(service: ServeProcess): Promise<void> {
  const [killed = 0] = pidsOf(service);
  process.kill(killed, 'SIGKILL');
  await eventually(async () => {
    expect(pidsOf(service)[0]).not.toBe(killed);
    expect((await statusOf(service)).workers.serving).toBe(2);
  });
}

export interface Status {
  readonly ready: boolean;
  readonly revision: number;
  readonly workers: {
    readonly wanted: number;
    readonly serving: number;
    readonly sent: number;
    readonly inForce: number;
  };
}

export async function statusOf(service: ServeProcess): Promise<Status> {
  return JSON.parse((await getText(service.adminPort, '/api/status')).text) as Status;
}

/** The sum of all series of a metric whose labels hold the text. */
export async function metricOf(service: ServeProcess, name: string, labels = ''): Promise<number> {
  const { text } = await getText(service.httpPort, '/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.filter((line) => line.includes(labels)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

export function ready(service: ServeProcess): Promise<void> {
  return eventually(async () => expect((await getText(service.httpPort, '/readyz')).status).toBe(200));
}
