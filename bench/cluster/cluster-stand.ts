import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { installCrds } from '../../test/support/kubernetes/crds.ts';
import { createServiceAccount } from '../../test/support/kubernetes/service-account.ts';
import { startCluster } from '../../test/support/kubernetes/start-cluster.ts';
import { policyText, providerText } from '../policy-folder.ts';
import type { PortcullisProcess } from '../portcullis-process.ts';
import type { Stand } from '../stand.ts';
import { readWrites, writesBetween, type Writes } from './api-writes.ts';

/** A real API server with our CRDs, policies in it, and `serve` before it as its service account. */
export interface ClusterStand {
  readonly stand: Stand;
  /** Makes the policies from the one number to the other, many at a time. */
  createPolicies(from: number, to: number): Promise<void>;
  /** Lets this role read, and no other. Resolves when the API server's answer was read. */
  changeReaders(policy: number, role: string): Promise<void>;
  /** How long after the API server's answer a watch without anything behind it brings the change, milliseconds; below 0 where it is first. */
  timeWatch(policy: number, role: string): Promise<number>;
  startServe(name: string, nodeFlags?: readonly string[]): Promise<PortcullisProcess>;
  /** What was written to the API server in that time, Leases left out. */
  writesWithin(ms: number): Promise<Writes>;
  /** Waits until nothing is written for some seconds; milliseconds until the last write. */
  untilQuiet(): Promise<number>;
  close(): Promise<void>;
}

/** Ten of them share a host. */
export const policiesPerHost = 10;
const policies = '/apis/portcullis.dev/v1alpha1/namespaces/bench/accesspolicies';
const connections = 16;
const quietMs = 3000;

export async function createClusterStand(stand: Stand): Promise<ClusterStand> {
  // It inherits the core of this process.
  const cluster = await startCluster();
  const dispatcher = new Agent({ connect: { ca: cluster.ca }, connections, allowH2: false });
  const send = async (method: 'GET' | 'POST' | 'PATCH', path: string, contentType: string, body?: string) => {
    const headers = { authorization: `Bearer ${cluster.token('admin')}`, 'content-type': contentType };
    const answer = await request(`${cluster.url}${path}`, { dispatcher, method, headers, body: body ?? null });
    const text = await answer.body.text();
    if (answer.statusCode > 299) throw new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 500)}`);
    return text;
  };
  const writes = async (): Promise<Writes> => readWrites(await send('GET', '/metrics', 'text/plain'));
  const writesWithin = async (ms: number): Promise<Writes> => {
    const before = await writes();
    await sleep(ms);
    return writesBetween(before, await writes());
  };
  await installCrds(cluster);
  const kubeconfig = await createServiceAccount(cluster);
  await cluster.kubectl('create', 'namespace', 'bench');
  await cluster.apply(providerText(stand.issuer));
  const changeReaders = async (policy: number, role: string): Promise<void> => {
    const patch = [{ op: 'replace', path: '/spec/rules/1/authorization/roles/anyOf', value: [role] }];
    await send('PATCH', `${policies}/${nameOf(policy)}`, 'application/json-patch+json', JSON.stringify(patch));
  };
  return {
    stand,
    writesWithin,
    changeReaders,
    timeWatch: async (policy, role) => {
      const watch = await request(
        `${cluster.url}${policies}?watch=true&fieldSelector=metadata.name=${nameOf(policy)}`,
        {
          dispatcher,
          headers: { authorization: `Bearer ${cluster.token('admin')}` },
        },
      );
      let answeredAt = 0;
      // The first event is the policy as it is.
      const seen = timesOfEvents(watch.body);
      await seen.next();
      const seenAt = seen.next();
      await changeReaders(policy, role).then(() => (answeredAt = performance.now()));
      const ms = ((await seenAt).value ?? Number.NaN) - answeredAt;
      await seen.return(undefined);
      return ms;
    },
    createPolicies: async (from, to) => {
      let next = from;
      const work = async (): Promise<void> => {
        while (next < to) await send('POST', policies, 'application/yaml', textOf(next++));
      };
      await Promise.all(Array.from({ length: connections }, work));
    },
    startServe: async (name, nodeFlags) =>
      stand.startPortcullis({
        name,
        program: await stand.bundle(),
        policies: undefined,
        flags: ['--kubeconfig', kubeconfig, '--pod-name', 'bench-0', '--namespace', 'portcullis'],
        nodeFlags,
      }),
    untilQuiet: async () => {
      const start = performance.now();
      for (let last = start; ; last = performance.now()) {
        const written = await writesWithin(quietMs);
        if (Object.keys(written).length === 0) return last - start;
      }
    },
    close: async () => {
      await dispatcher.close();
      await cluster.stop();
    },
  };
}

/** When each chunk of a watch came; an event of one small object is one chunk. */
async function* timesOfEvents(body: AsyncIterable<unknown>): AsyncGenerator<number> {
  for await (const _chunk of body) yield performance.now();
}

function textOf(policy: number): string {
  return policyText(Math.floor(policy / policiesPerHost), policy % policiesPerHost);
}

function nameOf(policy: number): string {
  return `host-${Math.floor(policy / policiesPerHost)}-service-${policy % policiesPerHost}`;
}
