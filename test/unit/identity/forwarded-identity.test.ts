import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseForwardedCertificate } from '../../../src/canonical/forwarded-certificate.ts';
import { createClientCertificateProvider } from '../../../src/phases/identity/client-certificate/client-certificate-provider.ts';
import type { VerifyResult } from '../../../src/phases/identity/identity-provider.ts';
import type { ClientCertificateProviderSpec } from '../../../src/policy/provider-spec.ts';
import { asEnvoySends, createClientAuthority, type CertificateParts } from '../../support/client-certificates.ts';
import { createWorld, requestOf, startSeconds } from './identity-fixtures.ts';

const now = startSeconds * 1000;
const root = createClientAuthority(now);
const mesh = { spiffe: { trustDomains: ['cluster.local'] } };
const web = 'spiffe://cluster.local/ns/shop/sa/web';
const admin = 'spiffe://cluster.local/ns/admin/sa/root';

interface Connected {
  readonly principal?: string;
  readonly certificate?: string;
  readonly header?: string;
}

function ask(
  changes: Partial<ClientCertificateProviderSpec>,
  { principal, certificate, header }: Connected,
): VerifyResult | Promise<VerifyResult> {
  const spec: ClientCertificateProviderSpec = {
    kind: 'IdentityProvider',
    type: 'ClientCertificate',
    namespace: 'shop',
    name: 'mesh',
    source: 'ForwardedCertificate',
    ca: undefined,
    crl: undefined,
    spiffe: undefined,
    ...changes,
  };
  const provider = createClientCertificateProvider(spec, { texts: new Map(), secrets: [] }, createWorld([]).ports);
  const malformed = { kind: 'refused', why: 'malformed' } as const;
  const forwarded = header === undefined ? undefined : (parseForwardedCertificate(header) ?? malformed);
  const connection = { peerAddress: '10.0.0.1', principal, certificate, forwarded };
  return provider.verifyPeer({ ...requestOf({}), connection });
}

/** The subject, or the code of the denial. */
async function judge(changes: Partial<ClientCertificateProviderSpec>, connected: Connected): Promise<string> {
  const result = await ask(changes, connected);
  return 'identity' in result ? result.identity.subject : result.denial.code;
}

/** As Envoy 1.40 writes it, names without quotes; `has` says what of it the proxy is told to write. */
function written(parts: CertificateParts, has = { cert: true }): string {
  const { certificate, der } = root.issue(parts);
  return [
    `Hash=${createHash('sha256').update(der).digest('hex')}`,
    ...(has.cert ? [`Cert="${asEnvoySends(certificate)}"`] : []),
    `Subject="CN=${parts.name ?? 'client'}"`,
    ...(parts.uri ?? ['']).map((uri) => `URI=${uri}`),
    ...(parts.dns ?? []).map((name) => `DNS=${name}`),
  ].join(';');
}

describe('the certificate that a proxy forwards and validated', () => {
  test('names somebody by the names in it (control)', async () => {
    const header = written({ uri: [web], dns: ['web.example'] });
    expect(await ask(mesh, { header })).toMatchObject({
      identity: { subject: web, claims: { uri: [web], dns: ['web.example'], serviceAccount: 'web' } },
    });
    expect(await judge({}, { header: written({ dns: ['web.example'] }) })).toBe('web.example');
    expect(await judge({}, { header: written({ name: 'web' }) })).toBe('CN=web');
  });

  test.each<[string, CertificateParts]>([
    ['a DNS name that is written to look like a URI', { dns: [`x;URI=${admin}`] }],
    ['a URI that is written to end before it does', { uri: [`${admin};DNS=x`] }],
    ['a URI behind which something else stands', { uri: [`${admin};x=y`] }],
    ['a URI that is written to look like two', { uri: [`urn:x;URI=${admin}`] }],
    ['a URI that is written to look like another element', { uri: [`urn:x,Hash=${'0'.repeat(64)};URI=${admin}`] }],
  ])('is nobody by %s', async (_title, parts) => {
    for (const has of [{ cert: true }, { cert: false }])
      expect(await judge(mesh, { header: written(parts, has) })).toMatch(/^certificate_(invalid|name)$/);
    expect(await judge({}, { header: written(parts) })).not.toBe(admin);
  });

  test('without the certificate itself is known by its hash alone, and by no SPIFFE id', async () => {
    const header = written({ uri: [web], dns: ['web.example'] }, { cert: false });
    const fingerprint = header.slice('Hash='.length, 'Hash='.length + 64);
    expect(await ask({}, { header })).toMatchObject({
      identity: { subject: `sha256:${fingerprint}`, claims: { fingerprint }, issuer: '', expiresAt: undefined },
    });
    expect(await judge(mesh, { header })).toBe('certificate_invalid');
  });

  test('is none of another hash, nor one that cannot be read or is not valid now', async () => {
    const header = written({ uri: [web] });
    expect(await judge(mesh, { header: `Hash=${'0'.repeat(64)}${header.slice(69)}` })).toBe('certificate_invalid');
    expect(await judge(mesh, { header: header.replace('Cert="-----BEGIN', 'Cert="') })).toBe('certificate_invalid');
    expect(await judge(mesh, { header: written({ uri: [web], to: now - 1000 }) })).toBe('certificate_expired');
    expect(await judge(mesh, { header: written({ uri: [web], from: now + 1000 }) })).toBe('certificate_expired');
    expect(await judge(mesh, { header })).toBe(web);
  });
});

describe('the principal that a proxy validated, with the certificate beside it', () => {
  const principal = { ...mesh, source: 'ValidatedPrincipal' } as const;
  const sent = (parts: CertificateParts): string => asEnvoySends(root.issue(parts).certificate);

  test('is the one URI in it (control)', async () => {
    expect(
      await ask(principal, { principal: web, certificate: sent({ uri: [web], dns: ['x.example'] }) }),
    ).toMatchObject({
      identity: { subject: web, claims: { principal: web, serviceAccount: 'web' } },
    });
    // The proxy's connection may outlive the certificate, and it is the proxy that validates.
    expect(await judge(principal, { principal: web, certificate: sent({ uri: [web], to: now - 1000 }) })).toBe(web);
    expect(await judge(principal, { principal: web })).toBe(web);
  });

  test.each<[string, CertificateParts]>([
    ['a DNS name that spells it', { dns: [admin] }],
    ['a subject that spells it', { name: admin }],
    ['another URI', { uri: [web] }],
    ['two URIs', { uri: [admin, web] }],
  ])('is nobody where the certificate has %s', async (_title, parts) => {
    expect(await judge(principal, { principal: admin, certificate: sent(parts) })).toMatch(
      /^certificate_(invalid|name)$/,
    );
  });

  test('is nobody where the certificate cannot be read', async () => {
    expect(await judge(principal, { principal: admin, certificate: 'x' })).toBe('certificate_invalid');
  });
});
