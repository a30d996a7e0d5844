import { readFile } from 'node:fs/promises';

const folder = 'deploy/envoy-gateway';

/** The documents of our example that Envoy Gateway reads. */
export function gatewayDocuments(): Promise<readonly string[]> {
  return Promise.all(['gateway.yaml', 'security-policy.yaml'].map((name) => readFile(`${folder}/${name}`, 'utf8')));
}

export function backendTlsDocuments(): Promise<string> {
  return readFile(`${folder}/backend-tls.yaml`, 'utf8');
}

/** The policies of the example, with tokens of another issuer. */
export async function policiesFor(issuer: string): Promise<string> {
  const text = await readFile(`${folder}/access-policy.yaml`, 'utf8');
  return text.replace('https://auth.shop.example', issuer).replace('https://shop.example', 'orders');
}

/** What a cluster has beside them: the Services that they name, each with one endpoint. */
export const clusterServices: readonly string[] = [
  service('portcullis', 'portcullis', 'grpc', 9001),
  service('shop', 'orders', 'http', 8080),
];

function service(namespace: string, name: string, port: string, number: number): string {
  return `
apiVersion: v1
kind: Service
metadata: {namespace: ${namespace}, name: ${name}}
spec: {clusterIP: 10.0.0.9, ports: [{name: ${port}, port: ${number}, protocol: TCP}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: ${namespace}, name: ${name}, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: ${port}, port: ${number}, protocol: TCP}]
endpoints: [{addresses: [10.0.1.9], conditions: {ready: true}}]`;
}
