import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { Request } from '../../../src/core/request.ts';
import { compileAuthentication } from '../../../src/phases/identity/authenticate.ts';
import type { MessageProvider, VerifyResult } from '../../../src/phases/identity/identity-provider.ts';
import {
  encode,
  requestOf,
  signText,
  startSeconds,
  tokenOf,
  type Claims,
  type RequestParts,
  type TestKey,
} from './identity-fixtures.ts';

/** The public members alone, as a client writes them into its proofs. */
export function publicJwk({ publicKey }: TestKey): Readonly<Record<string, unknown>> {
  return publicKey.export({ format: 'jwk' });
}

export function thumbprintOf(key: TestKey): Promise<string> {
  return calculateJwkThumbprint(publicJwk(key));
}

/** A token of the issuer's key, bound to the key of a client. */
export async function boundToken(issuerKey: TestKey, holder: TestKey, claims: Claims = {}): Promise<string> {
  return tokenOf(issuerKey, { cnf: { jkt: await thumbprintOf(holder) }, jti: randomUUID(), ...claims });
}

export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

export interface ProofChanges {
  readonly header?: Claims;
  readonly claims?: Claims;
  /** What it is signed with; undefined: its own key. */
  readonly signedWith?: TestKey;
}

/** A good proof for GET https://shop.example/orders but for the changes; `undefined` takes a member out. */
export function proofOf(holder: TestKey, token: string, changes: ProofChanges = {}): string {
  const header = { typ: 'dpop+jwt', alg: holder.alg, jwk: publicJwk(holder), ...changes.header };
  const claims = {
    jti: randomUUID(),
    htm: 'GET',
    htu: 'https://shop.example/orders',
    iat: startSeconds,
    ath: hashOf(token),
    ...changes.claims,
  };
  return signText(JSON.stringify(header), JSON.stringify(claims), changes.signedWith ?? holder, holder.alg);
}

/** An unsigned JWT of `alg` none. */
export function unsigned(header: object, claims: object): string {
  return `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}.`;
}

export function withProof(token: string, proof: string | undefined, parts: RequestParts = {}): Request {
  const proofs = proof === undefined ? [] : [['dpop', proof] as const];
  return requestOf({ ...parts, headers: [['authorization', `DPoP ${token}`], ...proofs, ...(parts.headers ?? [])] });
}

export async function judge(provider: MessageProvider, request: Request): Promise<VerifyResult> {
  return compileAuthentication([provider])(request, 'shop');
}
