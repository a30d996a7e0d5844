import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { createClientCertificateProvider } from '../../../src/phases/identity/client-certificate/client-certificate-provider.ts';
import type { PeerProvider, VerifyResult } from '../../../src/phases/identity/identity-provider.ts';
import { textKey, type ProviderMaterial } from '../../../src/policy/providers/provider-material.ts';
import type { ClientCertificateProviderSpec } from '../../../src/policy/provider-spec.ts';
import { der, extension, sequence } from '../../support/certificates.ts';
import {
  asEnvoySends,
  createClientAuthority,
  ecKeys,
  serverUse,
  type CertificateParts,
  type KeyPair,
  type RevocationParts,
} from '../../support/client-certificates.ts';
import { createWorld, requestOf, startSeconds, verdictOf, type RequestParts, type World } from './identity-fixtures.ts';

const now = startSeconds * 1000;
const hour = 3_600_000;
const root = createClientAuthority(now);
const stranger = createClientAuthority(now);
const ca = { namespace: 'shop', name: 'client-ca', key: 'ca.crt' };
const crl = { namespace: 'shop', name: 'client-ca', key: 'crl.pem' };
const workload = { uri: ['spiffe://cluster.local/ns/shop/sa/web'] };

let world: World;

beforeEach(() => {
  world = createWorld([]);
});

function specOf(changes: Partial<ClientCertificateProviderSpec> = {}): ClientCertificateProviderSpec {
  return {
    kind: 'IdentityProvider',
    type: 'ClientCertificate',
    namespace: 'shop',
    name: 'mesh',
    source: 'ValidatedPrincipal',
    ca: undefined,
    crl: undefined,
    spiffe: undefined,
    ...changes,
  };
}

function materialOf(authorities: string | undefined, list?: string): ProviderMaterial {
  const texts = new Map<string, string>();
  if (authorities !== undefined) texts.set(textKey({ ...ca, kind: 'ConfigMap' }), authorities);
  if (list !== undefined) texts.set(textKey({ ...crl, kind: 'ConfigMap' }), list);
  return { texts, secrets: [] };
}

function createProvider(
  changes: Partial<ClientCertificateProviderSpec>,
  material: ProviderMaterial = materialOf(undefined),
): PeerProvider {
  return createClientCertificateProvider(specOf(changes), material, world.ports);
}

/** One that verifies what the proxy sends. */
function verifying(bundle: string, changes: Partial<ClientCertificateProviderSpec> = {}, list?: string): PeerProvider {
  return createProvider({ source: 'Certificate', ca, ...changes }, materialOf(bundle, list));
}

function ask(provider: PeerProvider, parts: RequestParts): VerifyResult {
  const result = provider.verifyPeer(requestOf(parts));
  if (result instanceof Promise) throw new Error('a peer is judged at once');
  return result;
}

function judge(provider: PeerProvider, pem: string): string {
  return verdictOf(ask(provider, { certificate: asEnvoySends(pem) }));
}

describe('the principal that the proxy validated', () => {
  const anybody = (): PeerProvider => createProvider({});
  const mesh = (): PeerProvider => createProvider({ spiffe: { trustDomains: ['cluster.local', 'other.example'] } });

  test('is the identity as it is, with the claim principal', () => {
    expect(ask(anybody(), { principal: 'CN=web,O=Acme' })).toEqual({
      identity: {
        authenticated: true,
        subject: 'CN=web,O=Acme',
        issuer: '',
        provider: 'mesh',
        clientId: '',
        scopes: [],
        roles: [],
        claims: { principal: 'CN=web,O=Acme' },
        expiresAt: undefined,
      },
    });
  });

  test('of a workload has its namespace and service account as claims', () => {
    const principal = 'spiffe://cluster.local/ns/shop/sa/web';
    expect(ask(mesh(), { principal })).toMatchObject({
      identity: {
        subject: principal,
        claims: { principal, trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'web' },
      },
    });
    expect(ask(mesh(), { principal: 'spiffe://other.example/ns/shop/sa/web/x' })).toMatchObject({
      identity: { claims: { trustDomain: 'other.example' } },
    });
  });

  test('that is absent is no identity, whoever sends a certificate', () => {
    expect(verdictOf(ask(anybody(), {}))).toBe('credential_missing');
    expect(verdictOf(ask(mesh(), { certificate: asEnvoySends(root.issue(workload).certificate) }))).toBe(
      'credential_missing',
    );
  });

  test.each(['a\u0000b', 'CN=a\nO=b', 'x\u007f', 'CN=\ufffd', 'a\u0085'])(
    'with a control character is refused: %j',
    (principal) => {
      expect(verdictOf(ask(anybody(), { principal }))).toBe('certificate_name');
      expect(verdictOf(ask(anybody(), { principal: 'CN=a' }))).toBe('allow');
    },
  );

  test.each([
    'spiffe://cluster.local',
    'spiffe://cluster.local/',
    'spiffe://cluster.local/ns//sa/web',
    'spiffe://cluster.local/ns/shop/sa/web/',
    'spiffe://cluster.local/ns/../sa/web',
    'spiffe://cluster.local/./web',
    'spiffe://cluster.local/ns/%73hop',
    'spiffe://Cluster.local/ns/shop/sa/web',
    'SPIFFE://cluster.local/ns/shop/sa/web',
    'spiffe://cluster.local:443/web',
    'spiffe://user@cluster.local/web',
    'spiffe://cluster.local/web?x',
    'spiffe://cluster.local/web#x',
    'spiffe://cluster.local.evil.example/web',
    'spiffe://evil.example/cluster.local/web',
    'spiffe://evil-cluster.local/web',
    'x spiffe://cluster.local/web',
    'CN=spiffe://cluster.local/web',
    'cluster.local',
    `spiffe://cluster.local/${'a'.repeat(2048)}`,
  ])('that is not exactly a SPIFFE id of a trust domain is refused: %s', (principal) => {
    expect(verdictOf(ask(mesh(), { principal }))).toBe('certificate_name');
    expect(verdictOf(ask(mesh(), { principal: 'spiffe://cluster.local/web' }))).toBe('allow');
  });
});

describe('the certificate that the proxy sends', () => {
  test('is verified, and its names are claims', () => {
    const leaf = root.issue({
      ...workload,
      dns: ['web.shop.svc'],
      email: ['web@shop.example'],
    });
    const result = ask(verifying(root.certificate), { certificate: asEnvoySends(leaf.certificate) });
    expect(result).toEqual({
      identity: {
        authenticated: true,
        subject: 'spiffe://cluster.local/ns/shop/sa/web',
        issuer: 'CN=client root',
        provider: 'mesh',
        clientId: '',
        scopes: [],
        roles: [],
        claims: {
          subject: 'CN=client',
          dns: ['web.shop.svc'],
          uri: ['spiffe://cluster.local/ns/shop/sa/web'],
          email: ['web@shop.example'],
          serial: leaf.serial,
          fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
        expiresAt: startSeconds + 86_400,
      },
    });
  });

  test.each<[string, CertificateParts, string]>([
    ['its first URI', { uri: ['urn:a', 'urn:b'], dns: ['x.example'] }, 'urn:a'],
    ['without one its first DNS name', { dns: ['x.example', 'y.example'] }, 'x.example'],
    ['without any its subject', { name: 'a,b' }, String.raw`CN=a\,b`],
  ])('names %s', (_title, parts, subject) => {
    const { certificate } = root.issue(parts);
    expect(ask(verifying(root.certificate), { certificate: asEnvoySends(certificate) })).toMatchObject({
      identity: { subject },
    });
  });

  const rsa = (modulusLength: number): KeyPair => generateKeyPairSync('rsa', { modulusLength });
  const critical = extension('2a0304', true, der(0x04, Buffer.of(1)));
  const verdicts: readonly [string, CertificateParts, string][] = [
    ['a good one', {}, 'allow'],
    ['one of RSA 2048', { keys: rsa(2048) }, 'allow'],
    ['one of RSA 1024', { keys: rsa(1024) }, 'certificate_invalid'],
    ['one of a curve that is too small', { keys: ecKeys('secp224r1') }, 'certificate_invalid'],
    ['one of a curve that is not among those of NIST', { keys: ecKeys('secp256k1') }, 'certificate_invalid'],
    ['one without any use named', { uses: undefined, keyUsage: undefined }, 'allow'],
    ['one for servers alone', { uses: [serverUse] }, 'certificate_invalid'],
    ['one for any use', { uses: ['551d2500'] }, 'certificate_invalid'],
    ['one whose key may not sign', { keyUsage: [5, 0x20] }, 'certificate_invalid'],
    ['one of an authority', { authority: {}, keyUsage: [1, 0x86] }, 'certificate_invalid'],
    ['one with a critical extension that nobody knows', { more: [critical] }, 'certificate_invalid'],
    [
      'one with an extension that nobody knows',
      { more: [extension('2a0304', false, der(0x04, Buffer.of(1)))] },
      'allow',
    ],
    [
      'one with an extension twice',
      { dns: ['a.example'], more: [extension('551d11', false, sequence())] },
      'certificate_invalid',
    ],
    ['one that has ended', { to: now - 1000 }, 'certificate_expired'],
    ['one that has not begun', { from: now + 1000 }, 'certificate_expired'],
    ['one with a NUL in a name', { dns: ['web.example\0.evil.example'] }, 'certificate_invalid'],
    ['one with a space in a URI', { uri: ['spiffe://cluster.local/a b'] }, 'certificate_invalid'],
    ['one with a comma in a DNS name', { dns: ['a,b'] }, 'certificate_invalid'],
    ['one with a control character in its subject', { name: 'a\nb' }, 'certificate_invalid'],
    ['one without any name', { name: '' }, 'allow'],
  ];

  test.each(verdicts)('%s', (_title, parts, verdict) => {
    const provider = verifying(root.certificate);
    expect(judge(provider, root.issue(parts).certificate)).toBe(verdict);
    expect(judge(provider, root.issue().certificate)).toBe('allow');
  });

  test('of another authority is refused, one of the same name and one that is its own too', () => {
    const provider = verifying(root.certificate);
    expect(judge(provider, stranger.issue(workload).certificate)).toBe('certificate_invalid');
    expect(judge(provider, stranger.certificate)).toBe('certificate_invalid');
    expect(judge(provider, root.certificate)).toBe('certificate_invalid');
    expect(judge(provider, root.issue(workload).certificate)).toBe('allow');
  });

  test('with another signature is refused: one octet of it changed', () => {
    const leaf = root.issue(workload);
    const bytes = Buffer.from(leaf.der);
    bytes[bytes.length - 3] = (bytes.at(-3) ?? 0) ^ 1;
    const body = (bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n');
    const provider = verifying(root.certificate);
    expect(judge(provider, `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`)).toBe(
      'certificate_invalid',
    );
    expect(judge(provider, leaf.certificate)).toBe('allow');
  });

  test('must name exactly one SPIFFE id of a trust domain where the provider asks for one', () => {
    const provider = verifying(root.certificate, { spiffe: { trustDomains: ['cluster.local'] } });
    const verdictFor = (parts: CertificateParts): string => judge(provider, root.issue(parts).certificate);
    expect(verdictFor(workload)).toBe('allow');
    expect(verdictFor({ uri: ['spiffe://other.local/ns/shop/sa/web'] })).toBe('certificate_name');
    expect(verdictFor({ uri: [...workload.uri, 'spiffe://cluster.local/ns/shop/sa/admin'] })).toBe('certificate_name');
    expect(verdictFor({ dns: ['web.example'] })).toBe('certificate_name');
    expect(verdictFor({})).toBe('certificate_name');
  });

  test('that the proxy does not send is refused, and none at all is no credential', () => {
    const provider = verifying(root.certificate);
    expect(verdictOf(ask(provider, { principal: 'spiffe://cluster.local/ns/shop/sa/web' }))).toBe(
      'certificate_invalid',
    );
    expect(verdictOf(ask(provider, {}))).toBe('credential_missing');
  });

  test('is remembered until it ends, and judged anew with other authorities', async () => {
    const leaf = root.issue({ to: now + hour });
    const provider = verifying(root.certificate);
    expect(judge(provider, leaf.certificate)).toBe('allow');
    await world.time.advance(hour - 1);
    expect(judge(provider, leaf.certificate)).toBe('allow');
    await world.time.advance(1001);
    expect(judge(provider, leaf.certificate)).toBe('certificate_expired');
    world.time.setWall(startSeconds - 2 * 86_400);
    expect(judge(provider, leaf.certificate)).toBe('certificate_expired');
    world.time.setWall(startSeconds);
    expect(judge(provider, leaf.certificate)).toBe('allow');
    expect(judge(verifying(stranger.certificate), leaf.certificate)).toBe('certificate_invalid');
  });
});

describe('the authorities', () => {
  const between = root.below();
  const leaf = between.issue(workload);

  test('lead from the certificate to the root through those in between', () => {
    expect(judge(verifying(root.certificate), leaf.certificate)).toBe('certificate_invalid');
    expect(judge(verifying(root.certificate + between.certificate), leaf.certificate)).toBe('allow');
    expect(judge(verifying(between.certificate + root.certificate), leaf.certificate)).toBe('allow');
  });

  test('may begin in between: what stands in the bundle without its issuer is trusted', () => {
    expect(judge(verifying(between.certificate), leaf.certificate)).toBe('allow');
  });

  test.each<[string, CertificateParts, CertificateParts]>([
    ['a root that ended', { to: now - 1 }, {}],
    ['a root that has not begun', { from: now + 1000 }, {}],
    ['one in between that ended', {}, { to: now - 1 }],
  ])('that are not valid any more are none: %s', (_title, ofRoot, ofBetween) => {
    const own = createClientAuthority(now, ofRoot);
    const middle = own.below(ofBetween);
    const { certificate } = middle.issue(workload);
    expect(judge(verifying(own.certificate + middle.certificate), certificate)).toBe('certificate_expired');
  });

  const constraints = extension('551d1e', true, sequence(der(0xa0, sequence(der(0x82, Buffer.from('x.example'))))));
  test.each<[string, CertificateParts, string]>([
    ['no basicConstraints', { authority: undefined }, 'it is not of an authority (basicConstraints)'],
    ['a key that may not sign certificates', { keyUsage: [7, 0x80] }, 'its key may not sign certificates (keyUsage)'],
    ['certificates for servers alone', { uses: [serverUse] }, 'it is not for clients (extendedKeyUsage)'],
    ['constraints of names', { more: [constraints] }, 'its extension 2.5.29.30 is not supported'],
    ['a weak key', { keys: generateKeyPairSync('rsa', { modulusLength: 1024 }) }, 'its key is too weak'],
  ])('with %s are left out, and named, and nothing below them is trusted', (_title, parts, why) => {
    const bad = createClientAuthority(now, { ...parts, name: 'bad root' });
    const middle = bad.below({ name: 'below a bad one' });
    const provider = verifying(bad.certificate + middle.certificate + root.certificate);
    expect(judge(provider, bad.issue(workload).certificate)).toBe('certificate_invalid');
    expect(judge(provider, middle.issue(workload).certificate)).toBe('certificate_invalid');
    expect(judge(provider, root.issue(workload).certificate)).toBe('allow');
    expect(provider.status()).toEqual({
      keys: 1,
      keyAgeSeconds: undefined,
      lastError: `certificate 1 is left out: ${why}`,
      unusable: `certificate 1 is left out: ${why}`,
    });
  });

  test('signed with SHA-1 are none, roots apart, whose signature nobody believes', () => {
    const old = createClientAuthority(now, { hash: 'sha1' });
    const middle = old.below({ hash: 'sha1' });
    expect(judge(verifying(old.certificate), old.issue(workload).certificate)).toBe('allow');
    expect(judge(verifying(old.certificate), old.issue({ ...workload, hash: 'sha1' }).certificate)).toBe(
      'certificate_invalid',
    );
    expect(judge(verifying(old.certificate + middle.certificate), middle.issue(workload).certificate)).toBe(
      'certificate_invalid',
    );
  });

  test('go no deeper than they say (pathLenConstraint)', () => {
    const shallow = createClientAuthority(now, { authority: { maxBelow: 0 } });
    const middle = shallow.below();
    expect(judge(verifying(shallow.certificate), shallow.issue(workload).certificate)).toBe('allow');
    expect(judge(verifying(shallow.certificate + middle.certificate), middle.issue(workload).certificate)).toBe(
      'certificate_invalid',
    );
    const enough = createClientAuthority(now, { authority: { maxBelow: 1 } });
    const below = enough.below();
    expect(judge(verifying(enough.certificate + below.certificate), below.issue(workload).certificate)).toBe('allow');
  });

  test('that cannot be read leave those in between without trust of their own', () => {
    const broken = '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n';
    expect(judge(verifying(broken + between.certificate), leaf.certificate)).toBe('keys_unavailable');
    expect(judge(verifying(broken + between.certificate + root.certificate), leaf.certificate)).toBe('allow');
  });

  test('that lead in circles, or are many of one name, keep nobody waiting', () => {
    const keys = ecKeys();
    const names = Array.from({ length: 6 }, (_, index) => `ring ${index}`);
    const ring = names.flatMap((name, index) => {
      const above = createClientAuthority(now, { name: names[(index + 1) % names.length] ?? '', keys });
      return Array.from({ length: 12 }, () => above.below({ name, keys }).certificate);
    });
    const started = performance.now();
    const provider = verifying(ring.join('') + root.certificate);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(provider.status()).toMatchObject({
      keys: 1,
      lastError: expect.stringContaining('there are more than 8 of its name'),
    });
    expect(judge(provider, root.issue(workload).certificate)).toBe('allow');
    verifying(`-----BEGIN CERTIFICATE-----${' '.repeat(900_000)}`);
    verifying('-----BEGIN CERTIFICATE-----\n'.repeat(30_000));
    expect(performance.now() - started).toBeLessThan(4000);
  });

  test.each([
    ['are missing', undefined, 'the ConfigMap shop/client-ca or its key ca.crt is missing'],
    ['are empty', '', 'there is no PEM certificate'],
  ])('that %s deny everybody, as ours to mend', (_title, text, lastError) => {
    const provider = createProvider({ source: 'Certificate', ca }, materialOf(text));
    expect(judge(provider, leaf.certificate)).toBe('keys_unavailable');
    expect(provider.status()).toEqual({ keys: 0, keyAgeSeconds: undefined, lastError, unusable: lastError });
  });
});

describe('the list of revoked certificates', () => {
  const revoked = root.issue(workload);
  const good = root.issue(workload);
  const delta = extension('551d1b', true, der(0x02, Buffer.of(1)));

  function verdicts(list: string | undefined): readonly [string, string] {
    const provider = verifying(root.certificate, { crl }, list);
    return [judge(provider, revoked.certificate), judge(provider, good.certificate)];
  }

  test('refuses those on it and no others', () => {
    expect(verdicts(root.revoke([revoked.serial]))).toEqual(['certificate_revoked', 'allow']);
    expect(verdicts(root.revoke([]))).toEqual(['allow', 'allow']);
  });

  test.each<[string, string | undefined]>([
    ['is missing', undefined],
    ['is empty', ''],
    ['is another text', 'no list'],
    ['is signed by another', stranger.revoke([revoked.serial])],
    ['is signed with another key than that of its name', root.revoke([], { signWith: ecKeys() })],
    ['is not in force yet', root.revoke([], { thisUpdate: now + 1000 })],
    ['is only a part', root.revoke([], { extensions: [delta] })],
    ['says of an entry what nobody knows', root.revoke([revoked.serial], { entryExtensions: [delta] })],
  ] satisfies [string, string | undefined][])('that %s leaves nobody known, and denies with 503', (_title, list) => {
    expect(verdicts(list)).toEqual(['revocation_unknown', 'revocation_unknown']);
  });

  test('that is past its end denies, also those that were good before, and still says who was revoked', async () => {
    const parts: RevocationParts = { nextUpdate: now + hour };
    const provider = verifying(root.certificate, { crl }, root.revoke([revoked.serial], parts));
    expect(judge(provider, good.certificate)).toBe('allow');
    await world.time.advance(hour - 1);
    expect(judge(provider, good.certificate)).toBe('allow');
    await world.time.advance(1);
    expect(judge(provider, good.certificate)).toBe('revocation_unknown');
    expect(judge(provider, revoked.certificate)).toBe('certificate_revoked');
  });

  test('of an authority above applies where it is there', () => {
    const between = root.below();
    const leaf = between.issue(workload);
    const bundle = root.certificate + between.certificate;
    const own = between.revoke([]);
    expect(judge(verifying(bundle, { crl }, own), leaf.certificate)).toBe('allow');
    expect(judge(verifying(bundle, { crl }, own + root.revoke([])), leaf.certificate)).toBe('allow');
    expect(judge(verifying(bundle, { crl }, own + root.revoke([], { nextUpdate: now })), leaf.certificate)).toBe(
      'revocation_unknown',
    );
    expect(judge(verifying(bundle, { crl }, root.revoke([])), leaf.certificate)).toBe('revocation_unknown');
  });
});

describe('hostile text in place of a certificate', () => {
  const good = root.issue(workload).certificate;
  const sent = asEnvoySends(good);

  test.each([
    ['is empty but for its frame', '-----BEGIN%20CERTIFICATE-----%0A-----END%20CERTIFICATE-----%0A'],
    ['is two certificates', sent + sent],
    ['has a text before it', `x${sent}`],
    ['has a text behind it', `${sent}x`],
    ['is a key', sent.replaceAll('CERTIFICATE', 'PRIVATE%20KEY')],
    ['is not encoded', good],
    ['is encoded twice', sent.replaceAll('%', '%25')],
    ['has an escape that is cut', `${sent}%4`],
    ['has an escape that is none', sent.replace('%0A', '%ZZ')],
    ['has an escape beyond ASCII', sent.replace('%0A', '%C3%A9')],
    ['has carriage returns', sent.replaceAll('%0A', '%0D%0A')],
    ['is very long', `-----BEGIN%20CERTIFICATE-----%0A${'AAAA'.repeat(5000)}%0A-----END%20CERTIFICATE-----%0A`],
    [
      'has something behind the certificate in its DER',
      asEnvoySends(pemOf(Buffer.concat([root.issue().der, Buffer.of(0)]))),
    ],
    ['has a length that is not the shortest', asEnvoySends(pemOf(sequence(der(0x30, Buffer.alloc(200)))))],
  ])('that %s is refused', (_title, certificate) => {
    const provider = verifying(root.certificate);
    expect(verdictOf(ask(provider, { certificate }))).toBe('certificate_invalid');
    expect(verdictOf(ask(provider, { certificate: sent }))).toBe('allow');
  });

  test('is refused, whatever it is, and nothing is thrown', () => {
    const provider = verifying(root.certificate);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary-ascii' })), (text) => {
        expect(['certificate_invalid', 'credential_missing']).toContain(
          verdictOf(ask(provider, { certificate: text })),
        );
        expect(judge(provider, pemOf(Buffer.from(text)))).toBe('certificate_invalid');
      }),
      { numRuns: 100 },
    );
  });

  test('with one octet changed is never somebody else, and nothing is thrown', () => {
    const provider = verifying(root.certificate);
    const original = root.issue(workload).der;
    fc.assert(
      fc.property(fc.nat(original.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(original);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        expect(judge(provider, pemOf(bytes))).toBe('certificate_invalid');
      }),
      { numRuns: 150 },
    );
    expect(world.log.lines).toEqual([]);
  });

  test('in the bundle or the list does not throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, at) => {
        const list = root.revoke(['01']);
        const cut = list.slice(0, at) + list.slice(at + 1);
        const provider = verifying(pemOf(Buffer.from(bytes)) + root.certificate, { crl }, cut);
        expect(['revocation_unknown', 'allow']).toContain(judge(provider, good));
      }),
      { numRuns: 30 },
    );
  });
});

function pemOf(bytes: Buffer): string {
  const body = (bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
}
