import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { createAuthority, type TestPair } from '../../support/certificates.ts';
import { getText, startServe, type ServeProcess } from './serve-process.ts';

/** Who issues to Portcullis, who to its proxies, and who to nobody that matters. */
export const servers = createAuthority('servers');
export const clients = createAuthority('clients');
export const strangers = createAuthority('strangers');

export const openPolicy = `
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: open, namespace: shop}
spec:
  hosts: [shop.example]
  rules:
  - {name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Public}
  - {name: never, matches: [{path: {type: PathPrefix, value: /never}}], access: Denied}
`;

/** A folder with a policy, a pair and the issuers of clients, new for every test, and what is served from it. */
export interface TlsFolder {
  readonly pathOf: (name: string) => string;
  /** Writes the pair in place. */
  readonly write: (pair: TestPair) => void;
  readonly tlsFlags: () => readonly string[];
  readonly mutualFlags: () => readonly string[];
  /** Resolves once it is ready; closed when the test has ended. */
  readonly serve: (flags: readonly string[]) => Promise<ServeProcess>;
  /** Calls it when the test has ended, the last one first. */
  readonly onEnd: (close: () => unknown) => void;
}

/** To be called where a test file begins. */
export function useTlsFolder(): TlsFolder {
  let folder = '';
  const closers: (() => unknown)[] = [];
  const pathOf = (name: string): string => join(folder, name);
  const write = ({ certificate, key }: TestPair): void => {
    writeFileSync(pathOf('tls.crt'), certificate);
    writeFileSync(pathOf('tls.key'), key);
  };
  const tlsFlags = () => ['--tls-certificate', pathOf('tls.crt'), '--tls-key', pathOf('tls.key')];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'portcullis-tls-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(pathOf('policies'));
    writeFileSync(pathOf('policies/policy.yaml'), openPolicy);
    write(servers.issue());
    writeFileSync(pathOf('ca.crt'), clients.certificate);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  });
  return {
    pathOf,
    write,
    tlsFlags,
    mutualFlags: () => [...tlsFlags(), '--tls-client-ca', pathOf('ca.crt')],
    serve: async (flags) => {
      const service = await startServe(pathOf('policies'), flags);
      closers.push(() => service.close());
      await expect.poll(async () => (await getText(service.httpPort, '/readyz')).status).toBe(200);
      return service;
    },
    onEnd: (close) => closers.push(close),
  };
}

/** The value of the series, as `/metrics` writes it: `name{label="value"}`. */
export async function metricOf(service: ServeProcess, series: string): Promise<number> {
  const { text } = await getText(service.httpPort, '/metrics');
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return Number(line?.split(' ').at(-1));
}

export function reloadsOf(service: ServeProcess, result: 'ok' | 'failed'): Promise<number> {
  return metricOf(service, `portcullis_tls_reloads_total{result="${result}"}`);
}
