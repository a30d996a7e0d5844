import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startIssuer, type Issuer } from '../src/dev/issuer.ts';
import type { Cores } from './cores.ts';
import { audience, writePolicyFolder, type PolicyFolderOptions } from './policy-folder.ts';
import { startPortcullis, type PortcullisOptions, type PortcullisProcess } from './portcullis-process.ts';

/** What all measurements share: where they work, on which cores, and who signs their tokens. */
export interface Stand {
  readonly workFolder: string;
  readonly cores: Cores | undefined;
  readonly profile: string | undefined;
  /** Who signs the tokens. */
  readonly issuer: string;
  /** A token of about a kilobyte with the role `reader`; another one for every subject. */
  mintToken(subject: string): Promise<string>;
  /** The folder with so many policies, written at the first call. */
  policyFolder(hosts: number, policiesPerHost: number, others?: FolderOthers): Promise<string>;
  startPortcullis(options: StartOptions): Promise<PortcullisProcess>;
  close(): Promise<void>;
}

export type FolderOthers = Pick<PolicyFolderOptions, 'conditions' | 'clients'>;

export type StartOptions = Pick<PortcullisOptions, 'name' | 'policies' | 'flags' | 'nodeFlags'> & {
  /** Default `dist`. */
  readonly from?: PortcullisOptions['from'];
};

export async function createStand(options: Pick<Stand, 'workFolder' | 'cores' | 'profile'>): Promise<Stand> {
  const { workFolder, cores, profile } = options;
  const issuer = await startIssuer(0, audience);
  await mkdir(workFolder, { recursive: true });
  const folders = new Map<string, Promise<string>>();
  const write = async (name: string, hosts: number, policiesPerHost: number, others: FolderOthers): Promise<string> => {
    const folder = join(workFolder, name);
    await writePolicyFolder(folder, { issuer: issuer.issuer, hosts, policiesPerHost, ...others });
    return folder;
  };
  return {
    ...options,
    issuer: issuer.issuer,
    mintToken: (subject) => mintToken(issuer, subject),
    policyFolder: (hosts, policiesPerHost, others = {}) => {
      const { conditions, clients } = others;
      const kinds = [conditions === undefined ? '' : '-conditions', clients === undefined ? '' : `-${clients}`];
      const name = `policies-${hosts}x${policiesPerHost}${kinds.join('')}`;
      const folder = folders.get(name) ?? write(name, hosts, policiesPerHost, others);
      folders.set(name, folder);
      return folder;
    },
    startPortcullis: (one) => startPortcullis({ from: 'dist', ...one, workFolder, core: cores?.server, profile }),
    close: () => issuer.close(),
  };
}

function mintToken(issuer: Issuer, subject: string): Promise<string> {
  return issuer.sign({
    sub: subject,
    jti: crypto.randomUUID(),
    client_id: 'shop-web',
    scope: 'openid profile email orders.read orders.write',
    roles: ['reader', 'support'],
    tenant: 'acme',
    name: 'Alice Example',
    email: 'alice@example.com',
    email_verified: true,
    auth_time: 1_795_227_000,
  });
}
