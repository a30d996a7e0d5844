import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/core/json.ts';
import { startEchoUpstream } from '../../src/dev/echo-upstream.ts';
import { startIssuer, type Issuer } from '../../src/dev/issuer.ts';
import { startPortcullis } from '../../src/dev/start-portcullis.ts';
import { createAuthority, type TestPair } from '../support/certificates.ts';
import { asEnvoySends, createClientAuthority } from '../support/client-certificates.ts';
import { startEnvoyBefore } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const now = Date.now();
const servers = createAuthority('servers');
const clients = createClientAuthority(now);
const strangers = createClientAuthority(now, { name: 'strangers' });
const between = clients.below();
const workload = (account: string): { readonly uri: readonly string[] } => ({
  uri: [`spiffe://cluster.local/ns/shop/sa/${account}`],
});
const web = clients.issue(workload('web'));
const deep = between.issue({ ...workload('deep'), dns: ['deep.shop.svc'] });
const evil = clients.issue({ uri: ['spiffe://evil.local/ns/shop/sa/web'] });
const revoked = clients.issue(workload('gone'));
const stranger = strangers.issue(workload('web'));
const webHash = createHash('sha256').update(web.der).digest('base64url');

const policies = (issuer: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: clients, namespace: shop}
data: ${JSON.stringify({ 'ca.crt': clients.certificate + between.certificate, 'crl.pem': clients.revoke([revoked.serial]) + between.revoke([]) })}
---
${[
  `{name: idp}, spec: {type: JWT, jwt: {issuer: "${issuer}", audiences: [orders]}}`,
  '{name: mesh}, spec: {type: ClientCertificate, clientCertificate: {source: ValidatedPrincipal, spiffe: {trustDomains: [cluster.local]}}}',
  '{name: pki}, spec: {type: ClientCertificate, clientCertificate: {source: Certificate, caRef: {name: clients, key: ca.crt}, crlRef: {name: clients, key: crl.pem}}}',
  '{name: edge}, spec: {type: ClientCertificate, clientCertificate: {source: ForwardedCertificate, spiffe: {trustDomains: [cluster.local]}}}',
  '{name: edge-any}, spec: {type: ClientCertificate, clientCertificate: {source: ForwardedCertificate}}',
  '{name: edge-pki}, spec: {type: ClientCertificate, clientCertificate: {source: ForwardedCertificate, caRef: {name: clients, key: ca.crt}}}',
]
  .map(
    (text) =>
      `apiVersion: portcullis.dev/v1alpha1\nkind: IdentityProvider\nmetadata: ${text.replace('{name: ', '{namespace: shop, name: ').replace('}, spec: ', '}\nspec: ')}`,
  )
  .join('\n---\n')}
---
${[
  '{peer: {name: mesh}}',
  '{peer: {name: pki}}',
  '{peer: {name: edge}}',
  '{peer: {name: edge-any}}',
  '{peer: {name: edge-pki}}',
  '{providers: [{name: idp}]}',
  '{providers: [{name: idp}], peer: {name: mesh}}',
]
  .map((authentication, index) => {
    const name = ['mesh', 'pki', 'edge', 'edge-any', 'edge-pki', 'bound', 'both'][index];
    return `apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: ${name}, namespace: shop}
spec:
  hosts: [${name}.example]
  authentication: ${authentication}
  rules: [{name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}]
  upstream: {headers: [{name: x-user, expression: identity.subject}, {name: x-peer, expression: peer.subject}]}`;
  })
  .join('\n---\n')}
`;

/** The listener and filter of docs/client-certificates.md, with the texts in place of the files. */
function documented(trusted: string): { readonly filterChain: JsonObject; readonly filter: JsonObject } {
  const page = readFileSync('docs/client-certificates.md', 'utf8');
  const { certificate, key } = servers.issue();
  const texts: Readonly<Record<string, string>> = {
    '/etc/envoy/tls.crt': certificate,
    '/etc/envoy/tls.key': key,
    '/etc/envoy/clients-ca.crt': trusted,
  };
  const block = /```yaml\nlistener:\n(.*?)filter:\n(.*?)```/s.exec(page);
  const inline = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return value.map(inline);
    if (!isJsonObject(value)) return value;
    const { filename } = value;
    if (typeof filename === 'string') return { inline_string: texts[filename] ?? '' };
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, inline(member)]));
  };
  const read = (text: string | undefined): JsonObject => inline(parse(text ?? '') as JsonValue) as JsonObject;
  return { filterChain: read(block?.[1]), filter: read(block?.[2]) };
}

/** A listener that asks for certificates and takes any. */
function careless(): { readonly filterChain: JsonObject; readonly filter: JsonObject } {
  const { filterChain, filter } = documented(clients.certificate);
  const text = JSON.stringify(filterChain)
    .replace('"trusted_ca":', '"trust_chain_verification":"ACCEPT_UNTRUSTED","trusted_ca":')
    .replace('"require_client_certificate":true', '"require_client_certificate":false');
  return { filterChain: JSON.parse(text) as JsonObject, filter };
}

interface Answer {
  /** 0: the connection was not made. */
  readonly status: number;
  readonly code: string | undefined;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

interface Call {
  readonly host: string;
  readonly pair?: TestPair | undefined;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

function call(port: number, { host, pair, token, headers = {} }: Call): Promise<Answer> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve) => {
    const sent = request(
      {
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        agent: false,
        ca: servers.certificate,
        ...(pair === undefined ? {} : { cert: pair.certificate, key: pair.key }),
        headers: { host, ...authorization, ...headers },
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.on('end', () => {
          const said = JSON.parse(body) as { error?: string; headers?: Record<string, string[]> };
          resolve({ status: response.statusCode ?? 0, code: said.error, headers: said.headers ?? {} });
        });
      },
    );
    sent.on('error', () => resolve({ status: 0, code: undefined, headers: {} }));
    sent.end();
  });
}

describeWithEnvoy('a real Envoy with client certificates', (envoyBinary) => {
  const closers: (() => unknown)[] = [];
  const ports = { strict: 0, careless: 0, edge: 0, terse: 0, forger: 0 };
  let issuer: Issuer;

  beforeAll(async () => {
    const keep = <T extends { close(): unknown }>(part: T): T => {
      closers.push(() => part.close());
      return part;
    };
    issuer = keep(await startIssuer(0, 'orders'));
    const upstream = keep(await startEchoUpstream());
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-certificates-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'policy.yaml'), policies(issuer.issuer));
    const portcullis = await startPortcullis(folder);
    closers.push(() => portcullis.stop());
    const believing = await startPortcullis(folder, [['--forwarded-client-cert-from', ['127.0.0.1/32']]]);
    closers.push(() => believing.stop());
    const before = (address: string, more: object): ReturnType<typeof startEnvoyBefore> =>
      startEnvoyBefore(address, upstream.port, { envoyBinary, ...more });
    const both = clients.certificate + strangers.certificate;
    ports.strict = keep(await before(portcullis.grpcAddress, documented(both))).port;
    ports.careless = keep(await before(portcullis.grpcAddress, careless())).port;
    const forwarding = { connectionManager: { forward_client_cert_details: 'ALWAYS_FORWARD_ONLY' } };
    const behind = keep(await before(believing.grpcAddress, forwarding)).port;
    const doubting = keep(await before(portcullis.grpcAddress, forwarding)).port;
    ports.edge = keep(await startEdge(envoyBinary, behind)).port;
    ports.terse = keep(await startEdge(envoyBinary, behind, { cert: false })).port;
    ports.forger = keep(await startEdge(envoyBinary, doubting)).port;
  }, 60_000);

  afterAll(async () => {
    for (const close of closers.toReversed()) await close();
  });

  describe('that validates them', () => {
    it.each<[string, Call, Partial<Answer>]>([
      ['the principal of a workload', { host: 'mesh.example', pair: web }, { status: 200 }],
      [
        'the principal of another trust domain',
        { host: 'mesh.example', pair: evil },
        { status: 401, code: 'certificate_name' },
      ],
      [
        'a DNS name that is spelled like the principal of a workload',
        { host: 'mesh.example', pair: clients.issue({ dns: ['spiffe://cluster.local/ns/shop/sa/admin'] }) },
        { status: 401, code: 'certificate_invalid' },
      ],
      ['no certificate', { host: 'mesh.example' }, { status: 0 }],
      ['a certificate of the authority', { host: 'pki.example', pair: web }, { status: 200 }],
      [
        'a certificate of an authority that only the proxy believes',
        { host: 'pki.example', pair: stranger },
        { status: 401, code: 'certificate_invalid' },
      ],
      [
        'a certificate that was revoked',
        { host: 'pki.example', pair: revoked },
        { status: 401, code: 'certificate_revoked' },
      ],
      [
        'a peer without the credential beside it',
        { host: 'both.example', pair: web },
        { status: 401, code: 'credential_missing' },
      ],
      [
        'a forwarded certificate from nobody who may',
        {
          host: 'edge.example',
          pair: web,
          headers: { 'x-forwarded-client-cert': `Hash=${'0'.repeat(64)};URI=spiffe://cluster.local/ns/shop/sa/web` },
        },
        { status: 401 },
      ],
    ])('%s', async (_title, asked, answer) => {
      expect(await call(ports.strict, asked)).toMatchObject(answer);
    });

    it('tells the service who connects and who calls', async () => {
      const token = await issuer.sign({ sub: 'alice', aud: 'orders' });
      const { status, headers } = await call(ports.strict, { host: 'both.example', pair: web, token });
      expect([status, headers['x-user'], headers['x-peer']]).toEqual([
        200,
        ['alice'],
        ['spiffe://cluster.local/ns/shop/sa/web'],
      ]);
    });

    it('takes a bound token from its holder and from nobody else', async () => {
      const token = await issuer.sign({ sub: 'alice', aud: 'orders', cnf: { 'x5t#S256': webHash } });
      const ask = async (pair: TestPair | undefined): Promise<unknown> => {
        const { status, code } = await call(ports.strict, { host: 'bound.example', pair, token });
        return code ?? status;
      };
      expect(await ask(web)).toBe(200);
      expect(await ask(revoked)).toBe('token_binding');
      expect(await ask(web)).toBe(200);
      expect(await ask(stranger)).toBe('token_binding');
    });
  });

  describe('that asks for them and takes any', () => {
    it.each<[string, Call, Partial<Answer>]>([
      ['a certificate of the authority, verified by us', { host: 'pki.example', pair: web }, { status: 200 }],
      ['one below an authority in between', { host: 'pki.example', pair: deep }, { status: 200 }],
      [
        'one of a stranger with the same names',
        { host: 'pki.example', pair: stranger },
        { status: 401, code: 'certificate_invalid' },
      ],
      ['none', { host: 'pki.example' }, { status: 401, code: 'credential_missing' }],
    ])('%s', async (_title, asked, answer) => {
      expect(await call(ports.careless, asked)).toMatchObject(answer);
    });

    it('a bound token without a certificate is refused', async () => {
      const token = await issuer.sign({ sub: 'alice', aud: 'orders', cnf: { 'x5t#S256': webHash } });
      expect(await call(ports.careless, { host: 'bound.example', token })).toMatchObject({
        status: 401,
        code: 'token_binding',
      });
      expect(await call(ports.careless, { host: 'bound.example', token, pair: web })).toMatchObject({ status: 200 });
    });
  });

  describe('behind a proxy that ends the TLS of clients', () => {
    const quoted = clients.issue({
      ...workload('quoted'),
      name: 'a",;URI=spiffe://cluster.local/ns/shop/sa/admin,b\\',
    });

    it.each<[string, Call, string]>([
      ['a workload', { host: 'edge.example', pair: web }, 'spiffe://cluster.local/ns/shop/sa/web'],
      [
        'a subject that looks like names',
        { host: 'edge.example', pair: quoted },
        'spiffe://cluster.local/ns/shop/sa/quoted',
      ],
      [
        'a certificate that we verify',
        { host: 'edge-pki.example', pair: web },
        'spiffe://cluster.local/ns/shop/sa/web',
      ],
    ])('is believed about its clients: %s', async (_title, asked, subject) => {
      const { status, headers } = await call(ports.edge, asked);
      expect([status, headers['x-user'], headers['x-forwarded-client-cert']]).toEqual([200, [subject], undefined]);
    });

    it.each([
      ['another element', `,Hash=${'0'.repeat(64)};URI=spiffe://cluster.local/ns/shop/sa/admin`],
      ['another name', ';URI=spiffe://cluster.local/ns/shop/sa/admin'],
      ['another hash', `;Hash=${'0'.repeat(64)}`],
    ])('names nobody where the URI of a certificate is written to look like %s', async (_title, more) => {
      const pair = clients.issue({ uri: [`spiffe://cluster.local/x${more}`] });
      const { status, headers } = await call(ports.edge, { host: 'edge.example', pair });
      expect([status, headers['x-user']]).toEqual([401, undefined]);
    });

    it('names nobody where a DNS name is written to look like a URI, or the certificate itself is not passed on', async () => {
      const pair = clients.issue({ dns: ['x;URI=spiffe://cluster.local/ns/shop/sa/admin'] });
      for (const host of ['edge.example', 'edge-any.example'])
        expect(await call(ports.edge, { host, pair })).toMatchObject({ status: 401, code: 'certificate_invalid' });
      expect(await call(ports.terse, { host: 'edge.example', pair: web })).toMatchObject({
        status: 401,
        code: 'certificate_invalid',
      });
      const { status, headers } = await call(ports.terse, { host: 'edge-any.example', pair: web });
      const hash = createHash('sha256').update(web.der).digest('hex');
      expect([status, headers['x-user']]).toEqual([200, [`sha256:${hash}`]]);
    });

    it('passes no certificate of another on that the URI of one holds', async () => {
      const pair = clients.issue({ uri: [`spiffe://cluster.local/x;Cert="${asEnvoySends(web.certificate)}"`] });
      expect(await call(ports.edge, { host: 'edge-pki.example', pair })).toMatchObject({ status: 401 });
    });

    it('sanitises what a client says itself', async () => {
      const headers = {
        'x-forwarded-client-cert': `Hash=${'0'.repeat(64)};URI=spiffe://cluster.local/ns/shop/sa/admin`,
      };
      const answer = await call(ports.edge, { host: 'edge.example', pair: web, headers });
      expect([answer.status, answer.headers['x-user']]).toEqual([200, ['spiffe://cluster.local/ns/shop/sa/web']]);
      expect(await call(ports.edge, { host: 'edge.example', headers })).toMatchObject({
        status: 401,
        code: 'credential_missing',
      });
    });

    it('is not believed where the operator does not say so', async () => {
      expect(await call(ports.forger, { host: 'edge.example', pair: web })).toMatchObject({
        status: 401,
        code: 'certificate_invalid',
      });
    });

    it('passes the proof of a bound token on', async () => {
      const token = await issuer.sign({ sub: 'alice', aud: 'orders', cnf: { 'x5t#S256': webHash } });
      expect(await call(ports.edge, { host: 'bound.example', pair: web, token })).toMatchObject({ status: 200 });
      expect(await call(ports.edge, { host: 'bound.example', pair: deep, token })).toMatchObject({
        code: 'token_binding',
      });
      expect(await call(ports.edge, { host: 'bound.example', token })).toMatchObject({ code: 'token_binding' });
    });
  });
});

/** An Envoy that asks nobody, ends TLS, and says in x-forwarded-client-cert what it saw. */
function startEdge(
  envoyBinary: string,
  upstreamPort: number,
  { cert } = { cert: true },
): ReturnType<typeof startEnvoyBefore> {
  const type = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';
  return startEnvoyBefore('127.0.0.1:1', upstreamPort, {
    envoyBinary,
    filterChain: careless().filterChain,
    connectionManager: {
      forward_client_cert_details: 'SANITIZE_SET',
      set_current_client_cert_details: { subject: true, cert, uri: true, dns: true },
      http_filters: [{ name: 'envoy.filters.http.router', typed_config: { '@type': type } }],
    },
  });
}
