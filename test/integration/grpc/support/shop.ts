import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startIssuer, type Issuer } from '../../../../src/dev/issuer.ts';
import { createAuthority } from '../../../support/certificates.ts';
import { checkOf, encodeCheck } from '../../../support/check-over-grpc.ts';
import { startKeyGate, type KeyGate } from './key-gate.ts';

/** What a service needs beside itself: policies, an issuer whose keys can be held back, and files for TLS. */
export interface Shop {
  /** The folder of policies: `shop.example` asks for a token below /orders and passes its subject on as x-user. */
  readonly policies: string;
  readonly issuer: Issuer;
  readonly gate: KeyGate;
  /** The path of a file in a folder of its own. */
  pathOf(name: string): string;
  /** The settings with which a service speaks TLS, and asks clients for a certificate. */
  readonly tlsFlags: readonly (readonly [flag: string, value: string])[];
  readonly mutualFlags: readonly (readonly [flag: string, value: string])[];
  close(): Promise<void>;
}

export const servers = createAuthority('servers');
export const clients = createAuthority('clients');

/** A service that fetches keys of this machine, and whose checks may wait for them. */
export const patience = [
  ['--allowed-private-address', '127.0.0.0/8'],
  ['--check-timeout', '30s'],
  ['--key-fetch-timeout', '30s'],
] as const;

export async function openShop(): Promise<Shop> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-shop-'));
  const pathOf = (name: string): string => join(folder, name);
  const issuer = await startIssuer(0, 'orders', 'ES256');
  const gate = await startKeyGate(`${issuer.issuer}/jwks`);
  const policies = await mkdtemp(join(tmpdir(), 'portcullis-shop-policies-'));
  const [server, client] = [servers.issue(), clients.issue()];
  await writeFile(join(policies, 'shop.yaml'), documents(issuer.issuer, gate.uri));
  const files = {
    'tls.crt': server.certificate,
    'tls.key': server.key,
    'client-ca.crt': clients.certificate,
    'server-ca.crt': servers.certificate,
    'client.crt': client.certificate,
    'client.key': client.key,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(pathOf(name), text);
  const tlsFlags = [
    ['--tls-certificate', pathOf('tls.crt')],
    ['--tls-key', pathOf('tls.key')],
  ] as const;
  return {
    policies,
    issuer,
    gate,
    pathOf,
    tlsFlags,
    mutualFlags: [...tlsFlags, ['--tls-client-ca', pathOf('client-ca.crt')]],
    async close() {
      await gate.close();
      await issuer.close();
      for (const path of [folder, policies]) await rm(path, { recursive: true, force: true });
    },
  };
}

/** The message of a check for `GET http://shop.example/orders`, also as JSON. */
export function orderCheck(token: string | undefined, headers: readonly (readonly [string, string])[] = []): object {
  const request = { method: 'GET', host: 'shop.example', path: '/orders', headers, clientIp: undefined };
  return checkOf(request, token, 'joined');
}

/** The same as bytes. */
export function orderBytes(token: string | undefined): Uint8Array {
  return encodeCheck(orderCheck(token));
}

function documents(issuer: string, keys: string): string {
  return `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec: {type: JWT, jwt: {issuer: "${issuer}", audiences: [orders], jwks: {uri: "${keys}"}}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [shop.example]
  authentication: {providers: [{name: idp}]}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /orders}}], access: Authenticated}]
  upstream: {headers: [{name: x-user, expression: identity.subject}]}
`;
}
