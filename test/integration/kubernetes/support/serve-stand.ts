import { expect } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../../src/core/json.ts';
import { checkOf, createCheckClient, encodeCheck } from '../../../support/check-over-grpc.ts';
import { eventually } from '../../../support/eventually.ts';
import type { Cluster } from '../../../support/kubernetes/cluster.ts';
import { getText, startServe, type ServeProcess } from '../../support/serve-process.ts';

/** Replicas before a cluster, and what it says of objects. */
export interface ServeStand {
  /** Starts a replica and waits until it is ready; it is ended by `end`. */
  readonly serve: (pod: string, flags?: readonly string[], kubeconfig?: string) => Promise<ServeProcess>;
  /** `allow`, or the status and the code of the denial. */
  readonly ask: (service: ServeProcess, host: string, path?: string) => Promise<string>;
  readonly decides: (
    service: ServeProcess,
    host: string,
    path: string,
    expected: string,
    timeoutMs?: number,
  ) => Promise<void>;
  readonly statusOf: (kind: string, name: string) => Promise<JsonObject>;
  /** `Accepted=True/Accepted ResolvedRefs=…` */
  readonly conditionsOf: (kind: string, name: string) => Promise<string>;
  readonly messageOf: (kind: string, name: string, condition: string) => Promise<string>;
  readonly programmed: (name: string, timeoutSeconds?: number) => Promise<string>;
  /** Ends every replica. */
  readonly end: () => Promise<void>;
}

/** A policy of the namespace shop with one rule for every path. */
export function onePolicy(
  name: string,
  host: string,
  access: 'Public' | 'Denied' | 'Authenticated',
  more = '',
): string {
  const rule = `{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: ${access}}`;
  return `{apiVersion: portcullis.dev/v1alpha1, kind: AccessPolicy, metadata: {name: ${name}, namespace: shop}, spec: {hosts: [${host}], ${more} rules: [${rule}]}}`;
}

/** Objects are of the namespace shop. */
export function createServeStand(cluster: () => Cluster, kubeconfig: () => string): ServeStand {
  const replicas: ServeProcess[] = [];
  const statusOf = async (kind: string, name: string): Promise<JsonObject> => {
    const text = await cluster().kubectl('get', kind, name, '--namespace', 'shop', '--output', 'json');
    const object: unknown = JSON.parse(text);
    const status = isJsonObject(object) ? object['status'] : undefined;
    return isJsonObject(status) ? status : {};
  };
  const conditions = async (kind: string, name: string): Promise<readonly JsonObject[]> => {
    const { conditions: all } = await statusOf(kind, name);
    return Array.isArray(all) ? all.filter((one) => isJsonObject(one)) : [];
  };
  const ask = async (service: ServeProcess, host: string, path = '/'): Promise<string> => {
    const client = createCheckClient(service.grpcAddress);
    const request = { method: 'GET', host, path, headers: [], clientIp: undefined };
    const answer = await client.send(encodeCheck(checkOf(request, undefined, 'joined')));
    client.close();
    if (answer.status?.code === 0) return 'allow';
    const body: unknown = JSON.parse(answer.deniedResponse?.body ?? '{}');
    return `${answer.deniedResponse?.status?.code} ${isJsonObject(body) ? textOf(body['error']) : ''}`;
  };
  return {
    serve: async (pod, flags = [], as = kubeconfig()) => {
      const service = await startServe(undefined, ['--kubeconfig', as, '--pod-name', pod, ...flags]);
      replicas.push(service);
      await eventually(async () => expect((await getText(service.httpPort, '/readyz')).status).toBe(200), 30_000);
      return service;
    },
    ask,
    decides: (service, host, path, expected, timeoutMs) =>
      eventually(async () => expect(await ask(service, host, path)).toBe(expected), timeoutMs),
    statusOf,
    conditionsOf: async (kind, name) =>
      (await conditions(kind, name))
        .map(({ type, status, reason }) => `${textOf(type)}=${textOf(status)}/${textOf(reason)}`)
        .join(' '),
    messageOf: async (kind, name, condition) =>
      textOf((await conditions(kind, name)).find(({ type }) => type === condition)?.['message']),
    programmed: (name, timeoutSeconds = 30) => {
      const what = ['--for=condition=Programmed', `--timeout=${timeoutSeconds}s`, `accesspolicy/${name}`];
      return cluster().kubectl('wait', ...what, '--namespace', 'shop');
    },
    end: async () => {
      for (const replica of replicas.splice(0)) await replica.close();
    },
  };
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
