import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IssuerMessage, Receipt } from '../../../../src/core/issuer-message.ts';
import type { MessageProvider } from '../../../../src/phases/identity/identity-provider.ts';
import { createJwtProvider } from '../../../../src/phases/identity/jwt/jwt-provider.ts';
import { caep, risc, verification } from '../../../support/event-transmitter.ts';
import {
  createWorld,
  ecKey,
  failing,
  goodClaims,
  issuer,
  jwksUri,
  jwtSpec,
  rsaKey,
  settle,
  signText,
  startSeconds,
  type Claims,
  type TestKey,
  type World,
} from '../identity-fixtures.ts';

const key = ecKey('idp-1');
const transmitterKey = ecKey('events-1');
const transmitter = 'https://signals.example';
const logoutUri = 'http://schemas.openid.net/event/backchannel-logout';
const secret = 'Bearer receiver-secret-1';

let world: World;
let provider: MessageProvider;
beforeAll(async () => {
  world = createWorld([key]);
  const spec = jwtSpec({
    logout: { audiences: ['web', 'mobile'] },
    events: {
      issuer: transmitter,
      audiences: ['https://portcullis.example/events'],
      keys: { type: 'Inline', json: JSON.stringify({ keys: [transmitterKey.jwk] }) },
      ca: undefined,
      authorization: { namespace: 'shop', name: 'receiver', key: 'authorization' },
    },
  });
  const material = { keysText: undefined, ca: undefined };
  provider = createJwtProvider(spec, material, world.ports, { ...material, authorization: `${secret}\n` });
  await settle();
});
afterAll(() => provider.close());

function receive(message: IssuerMessage): Promise<Receipt> {
  if (provider.receive === undefined) throw new Error('the provider receives nothing');
  return provider.receive(message);
}

/** A token of these claims; undefined takes one away. */
function signed(claims: Claims, header: Claims, by: TestKey, alg?: string): string {
  const head = { alg: alg ?? by.alg, kid: by.jwk['kid'], ...header };
  return signText(JSON.stringify(head), JSON.stringify(claims), by);
}

let ids = 0;
function logoutToken(changes: Claims = {}, header: Claims = {}, by = key): string {
  const claims = {
    iss: issuer,
    aud: 'web',
    iat: startSeconds,
    exp: startSeconds + 120,
    jti: `logout-${++ids}`,
    sub: 'alice',
    sid: 'session-1',
    events: { [logoutUri]: {} },
    ...changes,
  };
  return signed(claims, { typ: 'logout+jwt', ...header }, by);
}

const logout = (...of: Parameters<typeof logoutToken>): Promise<Receipt> =>
  receive({ kind: 'logout', token: logoutToken(...of), authorization: undefined });

const errorOf = (receipt: Receipt): string => (receipt.kind === 'refused' ? receipt.error : 'understood');

describe('a logout token', () => {
  const revocation = (target: string, value: string, issuedBefore?: number): object => ({
    target,
    value,
    issuedBefore,
  });
  const alice = revocation('sub', 'alice', startSeconds + 1);
  const sessionless = revocation('subWithoutSid', 'alice', startSeconds + 1);
  const session = revocation('sid', 'session-1');
  const good: readonly [string, Claims, Claims, readonly object[]][] = [
    ['of a session', {}, {}, [session, sessionless]],
    ['of a session alone', { sub: undefined }, {}, [session]],
    ['of a user', { sid: undefined }, {}, [alice]],
    ['without a typ, as some issuers write', {}, { typ: undefined }, [session, sessionless]],
    ['with the typ JWT', {}, { typ: 'JWT' }, [session, sessionless]],
    ['for several clients', { aud: ['other', 'mobile'] }, {}, [session, sessionless]],
    ['without an end, just made', { exp: undefined }, {}, [session, sessionless]],
  ];
  test.each(good)('%s is understood', async (_name, claims, header, revocations) => {
    expect(await logout(claims, header)).toMatchObject({
      kind: 'understood',
      events: ['logout'],
      revocations,
      signals: [],
    });
  });

  const bad: readonly [string, string, Claims, Claims?, TestKey?][] = [
    ['with a nonce', 'invalid_request', { nonce: 'n' }],
    ['without events', 'invalid_request', { events: undefined }],
    ['with another event', 'invalid_request', { events: { 'http://schemas.openid.net/event/other': {} } }],
    ['with an event that is no object', 'invalid_request', { events: { [logoutUri]: true } }],
    ['without sub and sid', 'invalid_request', { sub: undefined, sid: undefined }],
    ['with a sub that is no text', 'invalid_request', { sub: 7 }],
    ['with a sid too long', 'invalid_request', { sid: 'x'.repeat(513) }],
    ['without jti', 'invalid_request', { jti: undefined }],
    ['without iat', 'invalid_request', { iat: undefined }],
    ['of the future', 'invalid_request', { iat: startSeconds + 400 }],
    ['past its end', 'invalid_request', { exp: startSeconds - 31 }],
    ['with an end that is no date', 'invalid_request', { exp: '9999' }],
    ['without an end, made long ago', 'invalid_request', { exp: undefined, iat: startSeconds - 400 }],
    ['of another issuer', 'invalid_issuer', { iss: 'https://evil.example' }],
    ['for another client', 'invalid_audience', { aud: 'other' }],
    ['for the audience of access tokens', 'invalid_audience', { aud: 'api://orders' }],
    ['without aud', 'invalid_audience', { aud: undefined }],
    ['of another use', 'invalid_request', {}, { typ: 'at+jwt' }],
    ['with alg none', 'invalid_request', {}, { alg: 'none' }],
    ['with crit', 'invalid_request', {}, { crit: ['exp'] }],
    ['signed by somebody else', 'invalid_key', {}, {}, ecKey('idp-1')],
    ['signed with a key that nobody knows', 'invalid_key', {}, { kid: 'other' }, ecKey('other')],
    ['signed with the key of the transmitter of events', 'invalid_key', {}, {}, transmitterKey],
  ];
  test.each(bad)('%s is refused with %s', async (_name, error, claims, header, by) => {
    expect(errorOf(await logout(claims, header, by))).toBe(error);
    expect(errorOf(await logout())).toBe('understood');
  });

  test('an access token of the issuer is none', async () => {
    const token = signed(goodClaims({ jti: 'a', aud: 'web' }), { typ: 'JWT' }, key);
    expect(errorOf(await receive({ kind: 'logout', token, authorization: undefined }))).toBe('invalid_request');
  });

  test('keys that cannot be had are our fault, and the sender comes again', async () => {
    const away = createWorld([rsaKey('k')]);
    away.http.answer(jwksUri, failing('http_connect'));
    const down = createJwtProvider(
      jwtSpec({ logout: { audiences: ['web'] } }),
      { keysText: undefined, ca: undefined },
      away.ports,
    );
    const receipt = await down.receive?.({ kind: 'logout', token: logoutToken(), authorization: undefined });
    expect(receipt).toMatchObject({ kind: 'refused', error: 'unavailable' });
    down.close();
  });

  test('a provider that asks for no messages takes none', async () => {
    const silent = world.provider();
    expect(silent.receive).toBeUndefined();
    silent.close();
    const onlyEvents = createJwtProvider(
      jwtSpec({ events: { issuer, audiences: ['a'], keys: undefined, ca: undefined, authorization: undefined } }),
      { keysText: undefined, ca: undefined },
      world.ports,
    );
    expect(
      await onlyEvents.receive?.({ kind: 'logout', token: logoutToken(), authorization: undefined }),
    ).toMatchObject({
      error: 'not_found',
    });
    onlyEvents.close();
  });
});

const aliceSubject = { format: 'iss_sub', iss: issuer, sub: 'alice' };

function securityEvent(
  type: string,
  event: object,
  changes: Claims = {},
  header: Claims = {},
  by = transmitterKey,
): string {
  const claims = {
    iss: transmitter,
    aud: 'https://portcullis.example/events',
    iat: startSeconds,
    jti: `set-${++ids}`,
    sub_id: aliceSubject,
    events: { [type]: event },
    ...changes,
  };
  return signed(claims, { typ: 'secevent+jwt', ...header }, by);
}

const deliver = (...of: Parameters<typeof securityEvent>): Promise<Receipt> =>
  receive({ kind: 'events', token: securityEvent(...of), authorization: secret });

const at = { event_timestamp: startSeconds - 5 };

describe('a security event', () => {
  const revoked = [{ target: 'sub', value: 'alice', issuedBefore: startSeconds - 4 }];
  const fact = (facts: object): object[] => [{ target: 'sub', value: 'alice', facts, at: startSeconds - 5 }];
  const worsenedAt = startSeconds - 5;
  const rows: readonly [type: string, event: object, revocations: readonly object[], signals: readonly object[]][] = [
    [caep('session-revoked'), {}, revoked, []],
    [caep('token-claims-change'), { claims: { role: 'none' } }, revoked, []],
    [caep('credential-change'), { change_type: 'revoke', credential_type: 'password' }, revoked, []],
    [caep('credential-change'), { change_type: 'create', credential_type: 'fido2-roaming' }, [], []],
    [
      caep('assurance-level-change'),
      { namespace: 'NIST-AAL', current_level: 'nist-aal1', previous_level: 'nist-aal2', change_direction: 'decrease' },
      [],
      fact({ assuranceLevel: 'nist-aal1', worsenedAt }),
    ],
    [
      caep('assurance-level-change'),
      { namespace: 'NIST-AAL', current_level: 'nist-aal2', change_direction: 'increase' },
      [],
      fact({ assuranceLevel: 'nist-aal2' }),
    ],
    [
      caep('device-compliance-change'),
      { previous_status: 'compliant', current_status: 'not-compliant' },
      [],
      fact({ deviceCompliance: 'not-compliant', worsenedAt }),
    ],
    [
      caep('device-compliance-change'),
      { previous_status: 'not-compliant', current_status: 'compliant' },
      [],
      fact({ deviceCompliance: 'compliant' }),
    ],
    [
      caep('risk-level-change'),
      { principal: 'USER', current_level: 'HIGH', previous_level: 'LOW' },
      [],
      fact({ riskLevel: 'HIGH', worsenedAt }),
    ],
    [
      caep('risk-level-change'),
      { principal: 'USER', current_level: 'LOW', previous_level: 'HIGH' },
      [],
      fact({ riskLevel: 'LOW' }),
    ],
    [risc('account-disabled'), { reason: 'hijacking' }, revoked, fact({ accountDisabled: true, worsenedAt })],
    [risc('account-purged'), {}, revoked, fact({ accountDisabled: true, worsenedAt })],
    [risc('account-enabled'), {}, [], fact({ accountDisabled: false })],
    [risc('credential-compromise'), { credential_type: 'password' }, revoked, []],
    [caep('session-established'), {}, [], []],
  ];
  test.each(rows)('%s %j', async (type, event, revocations, signals) => {
    const name = type.slice(type.lastIndexOf('/') + 1);
    expect(await deliver(type, { ...event, ...at })).toMatchObject({
      kind: 'understood',
      events: [name],
      revocations,
      signals,
    });
  });

  test('without a time of its own it happened when it was told', async () => {
    const receipt = await deliver(caep('session-revoked'), {}, { toe: startSeconds - 60 });
    expect(receipt).toMatchObject({ revocations: [{ issuedBefore: startSeconds - 59 }] });
    expect(await deliver(caep('session-revoked'), {})).toMatchObject({
      revocations: [{ issuedBefore: startSeconds + 1 }],
    });
  });

  test('a verification of the stream is taken, and its state told', async () => {
    expect(
      await deliver(verification, { state: 'VGhpcyBpcyBh' }, { sub_id: { format: 'opaque', id: 'stream' } }),
    ).toMatchObject({
      kind: 'understood',
      events: ['verification'],
      state: 'VGhpcyBpcyBh',
      revocations: [],
    });
  });

  test('an event that nobody knows is taken and does nothing', async () => {
    expect(await deliver('https://example.com/event', {})).toMatchObject({
      events: ['unknown'],
      revocations: [],
      signals: [],
    });
  });

  const subjects: readonly [string, object | undefined, readonly object[] | undefined][] = [
    ['iss_sub', aliceSubject, revoked],
    ['iss_sub of another issuer', { ...aliceSubject, iss: transmitter }, undefined],
    ['opaque', { format: 'opaque', id: 'alice' }, revoked],
    [
      'email, in any case',
      { format: 'email', email: 'Alice@Acme.example' },
      [{ target: 'email', value: 'alice@acme.example' }],
    ],
    [
      'one token',
      { format: 'jwt_id', iss: issuer, jti: 't-1' },
      [{ target: 'jti', value: 't-1', issuedBefore: undefined }],
    ],
    [
      'aliases, of which one can be used',
      { format: 'aliases', identifiers: [{ format: 'phone_number', phone_number: '+1' }, aliceSubject] },
      revoked,
    ],
    [
      'aliases, none of which can',
      { format: 'aliases', identifiers: [{ format: 'phone_number', phone_number: '+1' }] },
      undefined,
    ],
    [
      'aliases in aliases',
      { format: 'aliases', identifiers: [{ format: 'aliases', identifiers: [aliceSubject] }] },
      undefined,
    ],
    ['a complex one with a user', { format: 'complex', user: aliceSubject }, revoked],
    [
      'a complex one with a session',
      { format: 'complex', user: aliceSubject, session: { format: 'opaque', id: 's-1' } },
      [
        { target: 'sid', value: 's-1' },
        { target: 'subWithoutSid', value: 'alice' },
      ],
    ],
    ['a complex one before it had a format', { user: aliceSubject, device: { format: 'opaque', id: 'd' } }, revoked],
    ['a device alone', { format: 'complex', device: { format: 'opaque', id: 'd' } }, undefined],
    ['a session in another format', { format: 'complex', session: { format: 'uri', uri: 'urn:x' } }, undefined],
    ['a phone number', { format: 'phone_number', phone_number: '+12065550100' }, undefined],
    ['a sub that is no text', { ...aliceSubject, sub: 7 }, undefined],
    ['no subject', undefined, undefined],
  ];
  test.each(subjects)('whose subject is %s', async (_name, subject, revocations) => {
    const receipt = await deliver(caep('session-revoked'), at, { sub_id: subject });
    if (revocations === undefined) expect(errorOf(receipt)).toBe('invalid_request');
    else expect(receipt).toMatchObject({ kind: 'understood', revocations });
  });

  test('with its subject inside, under the old names, as RISC began', async () => {
    const subject = { subject_type: 'iss-sub', iss: issuer, sub: 'alice' };
    expect(await deliver(risc('sessions-revoked'), { ...at, subject }, { sub_id: undefined })).toMatchObject({
      revocations: revoked,
    });
  });

  const bad: readonly [string, string, object, Claims?, Claims?, TestKey?][] = [
    ['of another issuer', 'invalid_issuer', {}, { iss: issuer }],
    ['for another audience', 'invalid_audience', {}, { aud: 'api://orders' }],
    ['without jti', 'invalid_request', {}, { jti: undefined }],
    ['of the future', 'invalid_request', {}, { iat: startSeconds + 100 }],
    ['about the future', 'invalid_request', { event_timestamp: startSeconds + 100 }],
    ['about a time in milliseconds', 'invalid_request', { event_timestamp: startSeconds * 1000 }],
    ['about a time that is no number', 'invalid_request', { event_timestamp: 'now' }],
    ['without a typ', 'invalid_request', {}, {}, { typ: undefined }],
    ['with the typ of tokens', 'invalid_request', {}, {}, { typ: 'JWT' }],
    ['without events', 'invalid_request', {}, { events: {} }],
    ['with an event that is no object', 'invalid_request', {}, { events: { [caep('session-revoked')]: 1 } }],
    ['signed by somebody else', 'invalid_key', {}, {}, {}, ecKey('events-1')],
    ['signed with the key of the issuer of tokens', 'invalid_key', {}, {}, {}, key],
  ];
  test.each(bad)('%s is refused with %s', async (_name, error, event, claims, header, by) => {
    expect(errorOf(await deliver(caep('session-revoked'), event, claims, header, by))).toBe(error);
    expect(errorOf(await deliver(caep('session-revoked'), at))).toBe('understood');
  });

  test.each([
    [caep('risk-level-change'), { current_level: 'SEVERE' }],
    [caep('device-compliance-change'), { current_status: 'unknown' }],
    [caep('assurance-level-change'), { current_level: 7 }],
    [caep('credential-change'), { change_type: 'other' }],
  ])('%s with %j is refused', async (type, event) => {
    expect(errorOf(await deliver(type, { ...event, ...at }))).toBe('invalid_request');
  });

  test('without the secret of the receiver, or with another, it is refused before its signature is looked at', async () => {
    const token = securityEvent(caep('session-revoked'), at);
    for (const authorization of [undefined, '', 'Bearer other', secret.toLowerCase(), `${secret} `])
      expect(errorOf(await receive({ kind: 'events', token, authorization }))).toBe('authentication_failed');
    expect(errorOf(await receive({ kind: 'events', token, authorization: secret }))).toBe('understood');
  });

  test('a secret that is missing lets nobody in', async () => {
    const { spec } = provider;
    if (spec.type !== 'JWT') throw new Error('it is a JWT provider');
    const material = { keysText: undefined, ca: undefined };
    const keyless = createJwtProvider(spec, material, world.ports, { ...material, authorization: undefined });
    await settle();
    const token = securityEvent(caep('session-revoked'), at);
    for (const authorization of [undefined, '', secret])
      expect(await keyless.receive?.({ kind: 'events', token, authorization })).toMatchObject({ error: 'unavailable' });
    keyless.close();
  });

  test('no description quotes what came', async () => {
    const canary = 'canary-7d1f';
    const receipts = await Promise.all([
      deliver(caep('session-revoked'), at, { sub_id: { format: canary, sub: canary } }),
      deliver(caep('risk-level-change'), { current_level: canary }),
      deliver(caep('session-revoked'), at, { iss: canary }),
      receive({ kind: 'events', token: canary, authorization: secret }),
    ]);
    expect(receipts.map(errorOf)).not.toContain('understood');
    expect(JSON.stringify(receipts)).not.toContain(canary);
  });
});
