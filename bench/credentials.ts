import { join } from 'node:path';
import { writeCertificateFolder } from './certificate-folder.ts';
import { encodeCheckMessage } from './check-message.ts';
import { apiKey, hmacToken } from './clients.ts';
import { createDpopClient } from './dpop-client.ts';
import type { LoadTarget } from './load.ts';
import { policyPath } from './policy-folder.ts';
import type { FolderOthers, Stand } from './stand.ts';
import type { Verdict } from './verdict.ts';

export type CredentialKind =
  | 'none'
  /** One token again and again; 200 in turn; each as if it were seen for the first time. RS256 where nothing else is said. */
  | 'repeated'
  | 'rotating'
  | 'new'
  | 'new-es256'
  | 'certificate'
  | 'api-key'
  | 'hmac'
  | 'new-hmac'
  | 'dpop'
  | 'new-dpop';

/** The checks of a row, and what `serve` needs to answer them as expected. */
export interface Credentials {
  readonly messages: LoadTarget['messages'];
  readonly expected: Verdict;
  readonly flags: readonly string[];
  /** Of the policy folder; `folder` is one of its own. */
  readonly folder:
    { readonly kind: 'shared'; readonly others: FolderOthers } | { readonly kind: 'own'; readonly path: string };
  /** No token may come out of the cache. */
  readonly isFresh: boolean;
}

export interface Place {
  readonly host: string;
  readonly path: string;
}

/** More tokens than the cache of the row holds, taken in turn: each was forgotten when it comes again. */
const freshTokens = 1000;
const smallCache = ['--token-cache-entries', '400'];
const rotatingTokens = 200;
const manyProofs = ['--dpop-replay-entries', '1000000'];

const usual = { expected: 'allow', flags: [], folder: { kind: 'shared', others: {} }, isFresh: false } as const;
const fresh = { ...usual, flags: smallCache, isFresh: true } as const;
const es256 = { kind: 'shared', others: { alg: 'ES256' } } as const;

export async function createCredentials(kind: CredentialKind, stand: Stand, place: Place): Promise<Credentials> {
  const withTokens = (tokens: readonly string[]): readonly Uint8Array[] =>
    tokens.map((token) => encodeCheckMessage({ ...place, token }));
  switch (kind) {
    case 'none':
      return { ...usual, messages: [encodeCheckMessage({ ...place, token: undefined })], expected: 'unauthenticated' };
    case 'repeated':
      return { ...usual, messages: withTokens([await stand.mintToken('alice')]) };
    case 'rotating':
      return { ...usual, messages: withTokens(await mintTokens(stand, rotatingTokens)) };
    case 'new':
      return { ...fresh, messages: withTokens(await mintTokens(stand, freshTokens)) };
    case 'new-es256':
      return { ...fresh, folder: es256, messages: withTokens(await mintTokens(stand, freshTokens, { alg: 'ES256' })) };
    case 'certificate':
      return certificateCredentials(join(stand.workFolder, kind));
    case 'api-key': {
      const folder = { kind: 'shared', others: { clients: 'api-key' } } as const;
      return { ...usual, folder, messages: [encodeCheckMessage({ ...place, token: undefined, apiKey: apiKey() })] };
    }
    case 'hmac':
      return { ...usual, ...hmacFolder, messages: withTokens([hmacToken('alice')]) };
    case 'new-hmac': {
      const tokens = Array.from({ length: freshTokens }, (_token, index) => hmacToken(`user-${index}`));
      return { ...usual, ...hmacFolder, flags: smallCache, messages: withTokens(tokens) };
    }
    case 'dpop':
    case 'new-dpop': {
      const isFresh = kind === 'new-dpop';
      const messages = await proofs(stand, place, isFresh ? freshTokens : 1);
      return { ...usual, folder: es256, flags: [...smallCache, ...manyProofs], isFresh, messages };
    }
  }
}

const hmacFolder = { folder: { kind: 'shared', others: { clients: 'hmac' } } } as const;

function mintTokens(stand: Stand, count: number, options?: Parameters<Stand['mintToken']>[1]): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, (_token, index) => stand.mintToken(`user-${index}`, options)));
}

/** Tokens in turn, every time with another proof. */
async function proofs(stand: Stand, place: Place, count: number): Promise<() => Uint8Array> {
  const client = createDpopClient(`https://${place.host}${place.path}`);
  const tokens = await mintTokens(stand, count, { alg: 'ES256', jkt: client.jkt });
  let position = 0;
  return () => {
    const token = tokens[position++ % tokens.length];
    if (token === undefined) throw new RangeError('there are no tokens');
    return encodeCheckMessage({ ...place, token, proof: client.prove(token) });
  };
}

async function certificateCredentials(path: string): Promise<Credentials> {
  const { policies, host, certificate } = await writeCertificateFolder(path);
  const messages = [encodeCheckMessage({ host, path: policyPath(0), token: undefined, certificate })];
  return { ...usual, folder: { kind: 'own', path: policies }, messages };
}
