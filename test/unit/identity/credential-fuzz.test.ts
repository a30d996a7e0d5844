import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseForwardedCertificate } from '../../../src/canonical/forwarded-certificate.ts';
import type { Request } from '../../../src/core/request.ts';
import { readTokenReview } from '../../../src/kubernetes/review-messages.ts';
import { createApiKeyProvider } from '../../../src/phases/identity/api-key/api-key-provider.ts';
import { createBasicProvider } from '../../../src/phases/identity/basic/basic-provider.ts';
import { createClientCertificateProvider } from '../../../src/phases/identity/client-certificate/client-certificate-provider.ts';
import { judgeTokenReview } from '../../../src/phases/identity/service-account/judge-token-review.ts';
import type { ClientCertificateProviderSpec } from '../../../src/policy/provider-spec.ts';
import { textKey } from '../../../src/policy/providers/provider-material.ts';
import { asEnvoySends, createClientAuthority } from '../../support/client-certificates.ts';
import { basicPlace, basicSpec, basicToken, fakePasswords, hashOf, htpasswd } from './basic-fixtures.ts';
import { secretOf } from './client-fixtures.ts';
import { apiKeySpec } from './client-specs.ts';
import { bearer, createWorld, credentialOf, requestOf, startSeconds, verdictOf } from './identity-fixtures.ts';

/** The text with a few characters put in place of others. */
function changed(original: string, unit: 'binary-ascii' | 'grapheme' = 'binary-ascii'): fc.Arbitrary<string> {
  const edit = fc.tuple(fc.nat(original.length), fc.nat(2), fc.string({ unit, maxLength: 2 }));
  return fc
    .array(edit, { minLength: 1, maxLength: 2 })
    .map((edits) =>
      edits.reduce((text, [at, taken, put]) => text.slice(0, at) + put + text.slice(at + taken), original),
    )
    .filter((text) => text !== original);
}

const anyText = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String());

test('an API key is the one key: any other text, and any text like it, is none', () => {
  const world = createWorld([]);
  const good = 'k-acme-0123456789abcdef';
  const secrets = [secretOf('acme', { data: { 'api-key': good } })];
  const keys = createApiKeyProvider(apiKeySpec, { texts: new Map(), secrets }, world.ports);
  const ask = (key: string): string => {
    const result = keys.verify(credentialOf(key));
    return result instanceof Promise ? 'late' : verdictOf(result);
  };
  expect(ask(good)).toBe('allow');
  fc.assert(
    fc.property(fc.oneof(anyText, changed(good), changed(good, 'grapheme')), (key) => {
      expect(ask(key)).toBe('credential_unknown');
    }),
    { numRuns: 2000 },
  );
});

test('a name and a password are let in by their one spelling alone', async () => {
  const passwords = fakePasswords();
  passwords.atOnce();
  const material = htpasswd(`alice:${hashOf('opensesame')}\nbob:${hashOf('b')}`);
  const provider = createBasicProvider(basicSpec, material, { ...createWorld([]).ports, passwords });
  const ask = async (token: string): Promise<string> =>
    verdictOf(await provider.verify({ token, place: basicPlace, request: requestOf({}) }));
  const good = basicToken('alice', 'opensesame');
  expect(await ask(good)).toBe('allow');
  const written = changed('alice:opensesame', 'grapheme').map((text) => Buffer.from(text).toString('base64'));
  await fc.assert(
    fc.asyncProperty(fc.oneof(anyText, changed(good), written), async (token) => {
      expect(['token_malformed', 'password_rejected']).toContain(await ask(token));
    }),
    { numRuns: 1000 },
  );
  provider.close();
});

describe('a client certificate', () => {
  const now = startSeconds * 1000;
  const [root, stranger] = [createClientAuthority(now), createClientAuthority(now)];
  const parts = { uri: ['spiffe://cluster.local/ns/shop/sa/web'] };
  const leaf = root.issue(parts);
  const revoked = root.issue(parts);
  const foreign = stranger.issue(parts);
  const list = root.revoke([revoked.serial]);
  const ca = { namespace: 'shop', name: 'ca', key: 'ca.crt' };
  const crl = { namespace: 'shop', name: 'ca', key: 'crl.pem' };

  function providerOf(
    bundle: string,
    revocations: string | undefined,
    source: ClientCertificateProviderSpec['source'],
  ) {
    const world = createWorld([]);
    const texts = new Map([[textKey({ ...ca, kind: 'ConfigMap' }), bundle]]);
    if (revocations !== undefined) texts.set(textKey({ ...crl, kind: 'ConfigMap' }), revocations);
    const spec = {
      kind: 'IdentityProvider',
      type: 'ClientCertificate',
      namespace: 'shop',
      name: 'mesh',
      source,
      ca,
      crl: revocations === undefined ? undefined : crl,
      spiffe: undefined,
    } as const;
    const provider = createClientCertificateProvider(spec, { texts, secrets: [] }, world.ports);
    const judge = (request: Request) => {
      const result = provider.verifyPeer(request);
      if (result instanceof Promise) throw new Error('a peer is judged at once');
      return result;
    };
    return {
      world,
      ask: (certificate: string): string => verdictOf(judge(requestOf({ certificate }))),
      forwarded: (text: string) => {
        const request = requestOf({});
        const forwarded = parseForwardedCertificate(text) ?? ({ kind: 'refused', why: 'malformed' } as const);
        return judge({ ...request, connection: { ...request.connection, forwarded } });
      },
    };
  }

  test('as Envoy sends it is the one that was issued, or none: whatever is changed in its text', () => {
    const { ask, world } = providerOf(root.certificate, undefined, 'Certificate');
    const good = asEnvoySends(leaf.certificate);
    expect(ask(good)).toBe('allow');
    fc.assert(
      fc.property(changed(good), (text) => {
        // The last line of a PEM text may do without its end, and an escape may be in either case.
        if (decodeSafely(text).trimEnd() === leaf.certificate.trimEnd()) return;
        expect(['certificate_invalid', 'credential_missing']).toContain(ask(text));
      }),
      { numRuns: 500 },
    );
    expect(world.log.lines).toEqual([]);
  });

  test('that is revoked stays so, or nobody is known, whatever is changed in the list', () => {
    const right = providerOf(root.certificate, list, 'Certificate');
    expect([right.ask(asEnvoySends(leaf.certificate)), right.ask(asEnvoySends(revoked.certificate))]).toEqual([
      'allow',
      'certificate_revoked',
    ]);
    fc.assert(
      fc.property(changed(list), (text) => {
        const { ask, world } = providerOf(root.certificate, text, 'Certificate');
        expect(['certificate_revoked', 'revocation_unknown']).toContain(ask(asEnvoySends(revoked.certificate)));
        expect(['allow', 'revocation_unknown']).toContain(ask(asEnvoySends(leaf.certificate)));
        expect(world.log.lines).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('of somebody else is never let in, whatever is changed in the bundle of authorities', () => {
    expect(providerOf(stranger.certificate, undefined, 'Certificate').ask(asEnvoySends(foreign.certificate))).toBe(
      'allow',
    );
    fc.assert(
      fc.property(changed(root.certificate), (bundle) => {
        const { ask } = providerOf(bundle, undefined, 'Certificate');
        expect(['certificate_invalid', 'keys_unavailable']).toContain(ask(asEnvoySends(foreign.certificate)));
        expect(['allow', 'certificate_invalid', 'certificate_expired', 'keys_unavailable']).toContain(
          ask(asEnvoySends(leaf.certificate)),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('that a proxy forwards is the one that was issued, or none, whatever is changed in the header', () => {
    const { forwarded } = providerOf(root.certificate, undefined, 'ForwardedCertificate');
    const header = ({ certificate }: typeof leaf, hash: string): string =>
      `By=spiffe://cluster.local/edge;Hash=${hash};Cert="${asEnvoySends(certificate)}";Subject="CN=client";URI=${parts.uri[0]}`;
    expect(verdictOf(forwarded(header(leaf, 'ab'.repeat(32))))).toBe('certificate_invalid');
    const hash = createHash('sha256').update(leaf.der).digest('hex');
    const good = header(leaf, hash);
    const known = forwarded(good);
    expect(known).toMatchObject({ identity: { subject: parts.uri[0], claims: { fingerprint: hash } } });
    fc.assert(
      fc.property(changed(good), (text) => {
        const result = forwarded(text);
        if ('identity' in result) expect(result).toEqual(known);
        else expect(['certificate_invalid', 'credential_missing']).toContain(result.denial.code);
      }),
      { numRuns: 500 },
    );
    expect(verdictOf(forwarded(header(foreign, hash)))).toBe('certificate_invalid');
  });
});

test('an answer to a TokenReview lets in only where it says so, of the account and for the audience', () => {
  const subject = 'system:serviceaccount:shop:web';
  const spec = {
    kind: 'IdentityProvider',
    type: 'ServiceAccount',
    namespace: 'shop',
    name: 'w',
    audiences: ['orders'],
    from: [bearer],
  } as const;
  const judge = (status: object): string =>
    verdictOf(judgeTokenReview(readTokenReview({ status: status as never }), { subject, expiresAt: undefined }, spec));
  const good = { authenticated: true, user: { username: subject }, audiences: ['orders'] };
  expect(judge(good)).toBe('allow');
  const member = fc.constantFrom('authenticated', 'user', 'audiences', 'error', '__proto__');
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom<unknown>(
      true,
      'true',
      1,
      'orders',
      ['orders'],
      ['orders', 7],
      { username: subject },
      { username: [subject] },
      '',
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(member, value), { maxLength: 3 }), (changes) => {
      const status: Record<string, unknown> = { ...good };
      for (const [name, content] of changes)
        Object.defineProperty(status, name, { value: content, enumerable: true, configurable: true });
      if (judge(status) !== 'allow') return;
      expect(status).toMatchObject({ authenticated: true, user: { username: subject } });
      expect(status['audiences']).toContain('orders');
      expect(['', undefined, null]).toContain(status['error']);
    }),
    { numRuns: 1000 },
  );
});

function decodeSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
