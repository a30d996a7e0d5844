import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClientAuthority } from '../test/support/client-certificates.ts';

/** A folder with one policy whose peer is verified by its certificate, and a certificate that is good there (PEM). */
export interface CertificateFolder {
  readonly policies: string;
  readonly host: string;
  readonly certificate: string;
}

const host = 'partners.shop.example.com';

/** Root, an authority in between, and the client's certificate with a SPIFFE id; the policy is of the usual kind: a claim, two headers. */
export async function writeCertificateFolder(folder: string): Promise<CertificateFolder> {
  const root = createClientAuthority(Date.now());
  const between = root.below();
  const { certificate } = between.issue({ uri: ['spiffe://cluster.local/ns/shop/sa/web'], dns: ['web.shop.svc'] });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'policy.yaml'), policyText(root.certificate + between.certificate));
  return { policies: folder, host, certificate };
}

function policyText(authorities: string): string {
  return `apiVersion: v1
kind: ConfigMap
metadata: { name: clients, namespace: bench }
data: { ca.crt: ${JSON.stringify(authorities)} }
---
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: { name: clients, namespace: bench }
spec:
  type: ClientCertificate
  clientCertificate:
    source: Certificate
    caRef: { name: clients, key: ca.crt }
    spiffe: { trustDomains: [cluster.local] }
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: { name: partners, namespace: bench }
spec:
  hosts: [${host}]
  authentication: { peer: { name: clients } }
  rules:
  - name: read
    matches: [{ path: { type: PathPrefix, value: /service-0 }, methods: [GET, HEAD] }]
    access: Restricted
    authorization: { claims: [{ claim: serviceAccount, in: [web, batch] }] }
  upstream:
    headers:
    - { name: x-user-id, expression: identity.subject }
    - { name: x-user-namespace, expression: identity.claims.namespace }
`;
}
