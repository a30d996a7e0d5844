import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clientsText, type ClientKind } from './clients.ts';

export interface PolicyFolderOptions {
  readonly issuer: string;
  readonly hosts: number;
  readonly policiesPerHost: number;
  /** CEL that the rule for reading asks for besides. */
  readonly conditions?: readonly string[] | undefined;
  /** Clients with Secrets in the place of the issuer. */
  readonly clients?: ClientKind | undefined;
}

export const audience = 'orders';

/** The host of that number, from 0. */
export function hostName(host: number): string {
  return `host-${host}.shop.example.com`;
}

/** A path that the policy of that number of a host governs, from 0. */
export function policyPath(policy: number): string {
  return `/service-${policy}/orders/8123?page=2`;
}

/** Writes a folder of one file a host and the provider of them all. */
export async function writePolicyFolder(folder: string, options: PolicyFolderOptions): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { clients } = options;
  await writeFile(
    join(folder, 'identity-provider.yaml'),
    clients === undefined ? providerText(options.issuer) : clientsText(clients),
  );
  for (let host = 0; host < options.hosts; host++) {
    const policies = Array.from({ length: options.policiesPerHost }, (_policy, policy) =>
      policyText(host, policy, undefined, options.conditions),
    );
    await writeFile(policyFile(folder, host), policies.join('---\n'));
  }
}

export function policyFile(folder: string, host: number): string {
  return join(folder, `host-${host}.yaml`);
}

/** Who signs the tokens. */
export function providerText(issuer: string): string {
  return `apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: { name: bench, namespace: bench }
spec:
  type: JWT
  jwt:
    issuer: ${issuer}
    audiences: [${audience}]
    claims: { roles: [roles] }
`;
}

/** A policy of the usual kind: an open rule, one for every role, one for some; the identity goes upstream in two headers. */
export function policyText(
  host: number,
  policy: number,
  readers: readonly string[] = ['reader', 'clerk'],
  conditions: readonly string[] = [],
): string {
  const when = conditions.map((expression) => `{ expression: ${JSON.stringify(expression)} }`).join(', ');
  return `apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: { name: host-${host}-service-${policy}, namespace: bench }
spec:
  hosts: [${hostName(host)}]
  authentication: { providers: [{ name: bench }] }
  rules:
  - name: health
    matches: [{ path: { type: Exact, value: /service-${policy}/health } }]
    access: Public
  - name: read
    matches: [{ path: { type: PathPrefix, value: /service-${policy} }, methods: [GET, HEAD] }]
    access: Restricted
    authorization: { roles: { anyOf: [${readers.join(', ')}] }${when === '' ? '' : `, when: [${when}]`} }
  - name: write
    matches: [{ path: { type: PathPrefix, value: /service-${policy} }, methods: [POST, PUT, PATCH, DELETE] }]
    access: Restricted
    authorization: { roles: { anyOf: [clerk] } }
  upstream:
    headers:
    - { name: x-user-id, expression: identity.subject }
    - { name: x-user-roles, expression: identity.roles }
`;
}
