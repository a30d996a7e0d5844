import { afterAll, beforeAll, expect, it } from 'vitest';
import { exchange } from '../../src/dev/http-exchange.ts';
import { startLoopbackServer, type LoopbackServer } from '../../src/dev/loopback-server.ts';
import { outcomeOfAnswer } from '../../src/dev/outcome.ts';
import {
  caep,
  createEventTransmitter,
  risc,
  verification,
  type EventTransmitter,
  type PushResult,
} from '../support/event-transmitter.ts';
import { startStand, type Stand } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const audience = 'https://portcullis.example/events';

/** What each path asks for, of the facts that a transmitter may signal. */
const rules = {
  'low-risk': `{when: [{expression: "identity.signals[?'riskLevel'].orValue('LOW') == 'LOW'"}]}`,
  'known-device': `{when: [{expression: "identity.signals[?'deviceCompliance'].orValue('compliant') == 'compliant'"}]}`,
  'high-assurance': `{when: [{expression: "identity.signals[?'assuranceLevel'].orValue('') == 'nist-aal2'"}]}`,
  'step-up': '{stepUp: {acr: {anyOf: [mfa]}}}',
} as const;

const documents = (issuer: string, transmitterIssuer: string): string => `
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: {name: idp, namespace: shop}
spec:
  type: JWT
  jwt:
    issuer: "${issuer}"
    audiences: [orders]
    events: {issuer: "${transmitterIssuer}", audiences: ["${audience}"], jwks: {uri: "${transmitterIssuer}/keys"}}
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: {name: orders, namespace: shop}
spec:
  hosts: [shop.example]
  authentication: {providers: [{name: idp}]}
  rules:
  - {name: all, matches: [{path: {type: PathPrefix, value: /}}], access: Authenticated}
${Object.entries(rules)
  .map(
    ([name, authorization]) =>
      `  - {name: ${name}, matches: [{path: {type: Exact, value: /${name}}}], access: Restricted, authorization: ${authorization}}`,
  )
  .join('\n')}
`;

describeWithEnvoy('a transmitter of security events, its keys at a URI, and a real Envoy', (envoyBinary) => {
  let keys: LoopbackServer;
  let transmitter: EventTransmitter;
  let stand: Stand;

  beforeAll(async () => {
    keys = await startLoopbackServer(0, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(transmitter.jwks);
    });
    transmitter = await createEventTransmitter(`http://127.0.0.1:${keys.port}`, audience);
    stand = await startStand({ envoyBinary, policies: (issuer) => documents(issuer, transmitter.issuer) });
  });
  afterAll(async () => {
    await stand?.close();
    await keys?.close();
  });

  const now = (): number => Math.floor(Date.now() / 1000);
  const ask = async (token: string, path = '/'): Promise<string> => {
    const headers = { host: 'shop.example', authorization: `Bearer ${token}` };
    const { status, body } = await exchange(stand.port, { method: 'GET', path, headers });
    const outcome = outcomeOfAnswer(status, body);
    return outcome.decision === 'allow' ? '200' : `${status} ${outcome.code}`;
  };
  /** Of somebody who was let in before, so that the token is one that is remembered. */
  const tokenOf = async (sub: string, claims: object = {}): Promise<string> => {
    const token = await stand.issuer.sign({ sub, acr: 'mfa', auth_time: now() - 5, ...claims });
    expect([await ask(token), await ask(token)]).toEqual(['200', '200']);
    return token;
  };
  const subjectOf = (sub: string): object => ({ format: 'iss_sub', iss: stand.issuer.issuer, sub });
  const push = async (type: string, event: object, subject: object): Promise<PushResult> => {
    const set = await transmitter.sign(type, { event_timestamp: now(), ...event }, { subject });
    return transmitter.push(`http://${stand.portcullis.httpAddress}/events/shop/idp`, set);
  };
  const pushed = async (type: string, event: object, sub: string): Promise<number> =>
    (await push(caep(type), event, subjectOf(sub))).status;

  it('verifies its stream before anything else', async () => {
    expect(await push(verification, { state: 'of the stream' }, { format: 'opaque', id: 'the-stream' })).toMatchObject({
      status: 202,
    });
  });

  it.each<[string, string, object, boolean]>([
    ['session-revoked', caep('session-revoked'), {}, true],
    ['token-claims-change', caep('token-claims-change'), { claims: { role: 'none' } }, true],
    [
      'credential-change (revoke)',
      caep('credential-change'),
      { credential_type: 'fido2-roaming', change_type: 'revoke' },
      true,
    ],
    [
      'credential-change (update)',
      caep('credential-change'),
      { credential_type: 'password', change_type: 'update' },
      true,
    ],
    [
      'credential-change (create)',
      caep('credential-change'),
      { credential_type: 'password', change_type: 'create' },
      false,
    ],
    ['credential-compromise', risc('credential-compromise'), { credential_type: 'password' }, true],
    ['session-established', caep('session-established'), {}, false],
    ['an event that nobody knows', 'https://example.com/event-type/other', {}, false],
  ])('%s: what it ends is ended, and nothing of others', async (title, type, event, ends) => {
    const sub = `of ${title}`;
    const [token, bystander] = [await tokenOf(sub), await tokenOf('bystander')];
    expect(await push(type, event, subjectOf(sub))).toMatchObject({ status: 202 });
    expect([await ask(token), await ask(bystander)]).toEqual([ends ? '401 token_revoked' : '200', '200']);
    // Whoever is issued a token after that is somebody known again.
    expect(await ask(await stand.issuer.sign({ sub, iat: now() + 2 }))).toBe('200');
  });

  it('the session of a complex subject is ended alone', async () => {
    const [here, there] = [await tokenOf('sam', { sid: 'here' }), await tokenOf('sam', { sid: 'there' })];
    const session = { format: 'opaque', id: 'here' };
    expect(
      await push(caep('session-revoked'), {}, { format: 'complex', user: subjectOf('sam'), session }),
    ).toMatchObject({ status: 202 });
    expect([await ask(here), await ask(there)]).toEqual(['401 token_revoked', '200']);
  });

  it('a risk, a device and an assurance are facts that conditions ask for, each alone', async () => {
    const [token, bystander] = [await tokenOf('rita'), await tokenOf('bystander')];
    const paths = ['/low-risk', '/known-device', '/high-assurance'];
    const see = (of: string): Promise<readonly string[]> => Promise.all(paths.map((path) => ask(of, path)));
    const closed = '403 condition_failed';
    expect(await see(token)).toEqual(['200', '200', closed]);
    const raised = { namespace: 'NIST-AAL', current_level: 'nist-aal2', previous_level: 'nist-aal1' };
    await pushed('assurance-level-change', { ...raised, change_direction: 'increase' }, 'rita');
    expect(await see(token)).toEqual(['200', '200', '200']);
    await pushed('risk-level-change', { principal: 'USER', current_level: 'MEDIUM', previous_level: 'LOW' }, 'rita');
    expect(await see(token)).toEqual([closed, '200', '200']);
    await pushed('device-compliance-change', { current_status: 'not-compliant', previous_status: 'compliant' }, 'rita');
    expect([await see(token), await see(bystander)]).toEqual([
      [closed, closed, '200'],
      ['200', '200', closed],
    ]);
  });

  it.each<[string, object, object]>([
    [
      'risk-level-change',
      { principal: 'USER', current_level: 'HIGH', previous_level: 'LOW' },
      { principal: 'USER', current_level: 'LOW', previous_level: 'HIGH' },
    ],
    [
      'assurance-level-change',
      { namespace: 'NIST-AAL', current_level: 'nist-aal1', previous_level: 'nist-aal2', change_direction: 'decrease' },
      { namespace: 'NIST-AAL', current_level: 'nist-aal2', previous_level: 'nist-aal1', change_direction: 'increase' },
    ],
    [
      'device-compliance-change',
      { current_status: 'not-compliant', previous_status: 'compliant' },
      { current_status: 'compliant', previous_status: 'not-compliant' },
    ],
  ])(
    'after a %s for the worse a login from before is none for stepUp, one from afterwards is',
    async (type, worse, better) => {
      const sub = `stepping up after ${type}`;
      const [before, bystander] = [await tokenOf(sub), await tokenOf('bystander')];
      expect(await ask(before, '/step-up')).toBe('200');
      expect(await pushed(type, worse, sub)).toBe(202);
      const after = await stand.issuer.sign({ sub, acr: 'mfa', auth_time: now() + 2 });
      expect([await ask(before, '/step-up'), await ask(after, '/step-up'), await ask(bystander, '/step-up')]).toEqual([
        '401 insufficient_user_authentication',
        '200',
        '200',
      ]);
      // Better again does not make the old login a new one.
      expect(await pushed(type, { ...better, event_timestamp: now() + 1 }, sub)).toBe(202);
      expect([await ask(before, '/step-up'), await ask(after, '/step-up')]).toEqual([
        '401 insufficient_user_authentication',
        '200',
      ]);
    },
  );

  it('what comes twice, or too late, changes nothing that is newer', async () => {
    const token = await tokenOf('lena');
    const change = { principal: 'USER', current_level: 'HIGH', previous_level: 'LOW' };
    const set = await transmitter.sign(
      caep('risk-level-change'),
      { ...change, event_timestamp: now() - 60 },
      { subject: subjectOf('lena') },
    );
    const url = `http://${stand.portcullis.httpAddress}/events/shop/idp`;
    const send = async (): Promise<number> => (await transmitter.push(url, set)).status;
    expect([await send(), await ask(token, '/low-risk')]).toEqual([202, '403 condition_failed']);
    await pushed('risk-level-change', { principal: 'USER', current_level: 'LOW', previous_level: 'HIGH' }, 'lena');
    expect([await ask(token, '/low-risk'), await send(), await ask(token, '/low-risk')]).toEqual(['200', 202, '200']);
  });
});
