import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBundle } from '../deploy/bundle/build-bundle.ts';
import { startIssuer, type Issuer, type IssuerAlgorithm } from '../src/dev/issuer.ts';
import type { Cores } from './cores.ts';
import { audience, writePolicyFolder, type PolicyFolderOptions } from './policy-folder.ts';
import { startPortcullis, type PortcullisOptions, type PortcullisProcess, type Program } from './portcullis-process.ts';

/** What all measurements share: where they work, on which cores, and who signs their tokens. */
export interface Stand {
  readonly workFolder: string;
  readonly cores: Cores | undefined;
  readonly profile: string | undefined;
  /** Who signs the tokens. */
  readonly issuer: string;
  /** A token of about a kilobyte with the role `reader`; another one for every subject. RS256 where nothing else is said. */
  mintToken(subject: string, options?: MintOptions): Promise<string>;
  /** The folder with so many policies, written at the first call; its provider takes the tokens of one algorithm, RS256 where nothing else is said. */
  policyFolder(hosts: number, policiesPerHost: number, others?: FolderOthers): Promise<string>;
  startPortcullis(options: StartOptions): Promise<PortcullisProcess>;
  /** The program as the image holds it; built at the first call. */
  bundle(): Promise<Program>;
  close(): Promise<void>;
}

export interface FolderOthers extends Pick<PolicyFolderOptions, 'conditions' | 'clients'> {
  readonly alg?: IssuerAlgorithm | undefined;
}

export interface MintOptions {
  readonly alg?: IssuerAlgorithm;
  /** The thumbprint of the key that the token is bound to. */
  readonly jkt?: string;
  /** In the place of `reader` and another one. */
  readonly roles?: readonly string[];
}

export type StartOptions = Pick<PortcullisOptions, 'name' | 'policies' | 'listen' | 'flags' | 'nodeFlags'> & {
  /** Default `dist`. */
  readonly program?: Program;
};

export async function createStand(options: Pick<Stand, 'workFolder' | 'cores' | 'profile'>): Promise<Stand> {
  const { workFolder, cores, profile } = options;
  const issuer = await startIssuer(0, audience);
  const ecIssuer = await startIssuer(0, audience, 'ES256');
  const issuerOf = (alg: IssuerAlgorithm = 'RS256'): Issuer => (alg === 'RS256' ? issuer : ecIssuer);
  await mkdir(workFolder, { recursive: true });
  const folders = new Map<string, Promise<string>>();
  let bundle: Promise<Program> | undefined;
  const write = async (name: string, hosts: number, policiesPerHost: number, others: FolderOthers): Promise<string> => {
    const folder = join(workFolder, name);
    const { alg, ...rest } = others;
    await writePolicyFolder(folder, { issuer: issuerOf(alg).issuer, hosts, policiesPerHost, ...rest });
    return folder;
  };
  return {
    ...options,
    issuer: issuer.issuer,
    mintToken: (subject, { alg, ...others } = {}) => mintToken(issuerOf(alg), subject, others),
    policyFolder: (hosts, policiesPerHost, others = {}) => {
      const { conditions, clients, alg } = others;
      const kinds = [
        conditions === undefined ? '' : '-conditions',
        clients === undefined ? '' : `-${clients}`,
        alg ?? '',
      ];
      const name = `policies-${hosts}x${policiesPerHost}${kinds.join('')}`;
      const folder = folders.get(name) ?? write(name, hosts, policiesPerHost, others);
      folders.set(name, folder);
      return folder;
    },
    startPortcullis: (one) =>
      startPortcullis({ program: { kind: 'dist' }, ...one, workFolder, core: cores?.server, profile }),
    bundle: () => (bundle ??= buildProgram(join(workFolder, 'bundle'))),
    close: async () => {
      await issuer.close();
      await ecIssuer.close();
    },
  };
}

async function buildProgram(folder: string): Promise<Program> {
  await buildBundle(fileURLToPath(new URL('..', import.meta.url)), folder);
  return { kind: 'bundle', folder };
}

function mintToken(issuer: Issuer, subject: string, { jkt, roles }: Omit<MintOptions, 'alg'>): Promise<string> {
  return issuer.sign({
    ...(jkt === undefined ? {} : { cnf: { jkt } }),
    sub: subject,
    jti: crypto.randomUUID(),
    client_id: 'shop-web',
    scope: 'openid profile email orders.read orders.write',
    roles: roles ?? ['reader', 'support'],
    tenant: 'acme',
    name: 'Alice Example',
    email: 'alice@example.com',
    email_verified: true,
    auth_time: 1_795_227_000,
  });
}
