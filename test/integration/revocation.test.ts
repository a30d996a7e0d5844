import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startEchoUpstream } from '../../src/dev/echo-upstream.ts';
import type { RunningEnvoy } from '../../src/dev/envoy-process.ts';
import { exchange } from '../../src/dev/http-exchange.ts';
import { startIssuer, type Issuer } from '../../src/dev/issuer.ts';
import type { LoopbackServer } from '../../src/dev/loopback-server.ts';
import { outcomeOfAnswer } from '../../src/dev/outcome.ts';
import {
  caep,
  createEventTransmitter,
  postText,
  risc,
  verification,
  type EventTransmitter,
} from '../support/event-transmitter.ts';
import { eventually } from '../support/eventually.ts';
import { getText, runCli, startServe, type ServeProcess } from './support/serve-process.ts';
import { startEnvoyBefore } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

const guide = readFileSync('docs/revocation.md', 'utf8');
const blockOf = (language: string, beginning: string): string => {
  const blocks = [...guide.matchAll(/```([a-z-]+)\n(.*?)```/gs)];
  const found = blocks.find(([, of, text = '']) => of === language && text.startsWith(beginning));
  if (found?.[2] === undefined) throw new Error(`the guide has no ${language} that begins with ${beginning}`);
  return found[2];
};

const transmitterIssuer = 'https://signals.example';
const eventsAudience = 'https://portcullis.example/events';
const receiverSecret = 'Bearer a-secret-of-the-receiver';

describeWithEnvoy('docs/revocation.md, with a real Envoy', (envoyBinary) => {
  let folder: string;
  let list: string;
  let issuer: Issuer;
  let upstream: LoopbackServer;
  let service: ServeProcess;
  let envoy: RunningEnvoy;
  let transmitter: EventTransmitter;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'portcullis-revocation-'));
    list = join(folder, 'revoked.jsonl');
    writeFileSync(list, '');
    writeFileSync(join(folder, 'admin.token'), 'an-admin-token-of-the-test\n');
    issuer = await startIssuer(0, 'orders');
    transmitter = await createEventTransmitter(transmitterIssuer, eventsAudience);
    const policies = mkdtempSync(join(folder, 'policies-'));
    const documents = blockOf('yaml', 'apiVersion: portcullis.dev/v1alpha1')
      .replace('https://idp.example', issuer.issuer)
      .replace('{uri: https://signals.example/keys}', `{inline: '${transmitter.jwks}'}`);
    writeFileSync(join(policies, 'policy.yaml'), documents);
    upstream = await startEchoUpstream();
    service = await startServe(policies, [
      '--allowed-private-address=127.0.0.0/8',
      `--revocations-file=${list}`,
      `--admin-token-file=${join(folder, 'admin.token')}`,
    ]);
    await eventually(async () => expect((await getText(service.httpPort, '/readyz')).status).toBe(200));
    envoy = await startEnvoyBefore(service.grpcAddress, upstream.port, { envoyBinary });
  }, 60_000);
  afterAll(async () => {
    await envoy?.close();
    await service?.close();
    await upstream?.close();
    await issuer?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = async (token: string, path = '/orders'): Promise<string> => {
    const headers = { host: 'shop.example', authorization: `Bearer ${token}` };
    const { status, body } = await exchange(envoy.port, { method: 'GET', path, headers });
    const outcome = outcomeOfAnswer(status, body);
    return outcome.decision === 'allow' ? 'allow' : `${status} ${outcome.code}`;
  };
  /** Of somebody who was let in just before, so that the token is one that is remembered. */
  const tokenOf = async (sub: string, claims: object = {}): Promise<string> => {
    const token = await issuer.sign({ sub, jti: `of-${sub}`, sid: `session-of-${sub}`, ...claims });
    expect([await ask(token), await ask(token)]).toEqual(['allow', 'allow']);
    return token;
  };
  const refusedWithinASecond = (token: string, code = '401 token_revoked'): Promise<void> =>
    eventually(async () => expect(await ask(token)).toBe(code), 1000);
  const at = (path: string): string => `http://127.0.0.1:${service.httpPort}${path}`;
  const subject = (sub: string): object => ({ format: 'iss_sub', iss: issuer.issuer, sub });

  it('a list: the lines of the guide count within a second, and count no more when they are gone', async () => {
    const [mallory, byId, bystander] = [
      await tokenOf('mallory'),
      await tokenOf('by-id', { jti: 'a-token-id' }),
      await tokenOf('bystander'),
    ];
    writeFileSync(list, blockOf('json-lines', '#').replaceAll('https://idp.example', issuer.issuer));
    await refusedWithinASecond(mallory);
    await refusedWithinASecond(byId);
    expect(await ask(bystander)).toBe('allow');
    writeFileSync(list, `${readFileSync(list, 'utf8')}{"issuer": broken\n`);
    await eventually(
      async () => expect((await getText(service.adminPort, '/revocations')).text).toContain('line 4 is no JSON'),
      2000,
    );
    expect([await ask(mallory), await ask(bystander)]).toEqual(['401 token_revoked', 'allow']);
    // Whoever writes in place empties it first, so what is gone has to be gone for a second.
    writeFileSync(list, '');
    await eventually(async () => expect(await ask(mallory)).toBe('allow'), 3000);
  });

  it('portcullis revoke, as the guide writes it: at once, and a new token counts', async () => {
    const [carol, byId, bystander] = [
      await tokenOf('carol'),
      await tokenOf('other', { jti: 'another-token-id' }),
      await tokenOf('bystander'),
    ];
    const commands = blockOf('sh', 'portcullis serve --policies')
      .split('\n')
      .filter((line) => line.startsWith('portcullis revoke'));
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const args = command
        .replace('admin.token', join(folder, 'admin.token'))
        .replace('https://idp.example', issuer.issuer)
        .split(' ')
        .slice(1);
      const { code, output } = await runCli([...args, '--address', `127.0.0.1:${service.adminPort}`]);
      expect([code, output]).toEqual([0, expect.stringMatching(/^REVOKED .* \(local: this process alone/)]);
    }
    expect([await ask(carol), await ask(byId), await ask(bystander)]).toEqual([
      '401 token_revoked',
      '401 token_revoked',
      'allow',
    ]);
    const later = await issuer.sign({ sub: 'carol', jti: 'later', iat: Math.floor(Date.now() / 1000) + 2 });
    expect(await ask(later)).toBe('allow');
  });

  it('portcullis revoke with another token, or nobody to ask, revokes nothing', async () => {
    const wrong = join(folder, 'wrong.token');
    writeFileSync(wrong, 'not-the-token-of-the-service');
    const who = ['--issuer', issuer.issuer, '--sub', 'bystander'];
    const refused = await runCli([
      'revoke',
      '--token-file',
      wrong,
      ...who,
      '--address',
      `127.0.0.1:${service.adminPort}`,
    ]);
    const nobody = await runCli(['revoke', '--token-file', wrong, ...who, '--address', '127.0.0.1:1']);
    expect([refused.code, nobody.code]).toEqual([1, 3]);
    expect(refused.output).toMatch(/^REFUSED 401/);
    await tokenOf('bystander');
  });

  it('a logout at the issuer ends the session, and no other of the user', async () => {
    const [here, elsewhere] = [await tokenOf('dora'), await tokenOf('dora', { sid: 'elsewhere' })];
    const claims = {
      aud: 'web',
      sub: 'dora',
      sid: 'session-of-dora',
      jti: 'logout-1',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    };
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const send = async (changes: object): Promise<number> => {
      const token = await issuer.sign({ ...claims, ...changes }, { typ: 'logout+jwt' });
      return (await postText(at('/backchannel-logout/shop/idp'), form, `logout_token=${token}`)).status;
    };
    expect([await send({ nonce: 'n' }), await send({ aud: 'orders' }), await ask(here)]).toEqual([400, 400, 'allow']);
    expect(await send({})).toBe(200);
    expect([await ask(here), await ask(elsewhere)]).toEqual(['401 token_revoked', 'allow']);
    expect(await send({})).toBe(400);
  });

  it('a transmitter verifies its stream, and ends sessions by events', async () => {
    const [erin, bystander] = [await tokenOf('erin'), await tokenOf('bystander')];
    const push = async (type: string, event: object, sub: string, authorization = receiverSecret) =>
      transmitter.push(at('/events/shop/idp'), await transmitter.sign(type, event, { subject: subject(sub) }), {
        authorization,
      });
    expect(await push(verification, { state: 'state-of-the-stream' }, 'nobody')).toMatchObject({
      status: 202,
      attempts: 1,
    });
    await eventually(() => expect(service.output()).toContain('state-of-the-stream'), 2000);
    const stranger = await createEventTransmitter(transmitterIssuer, eventsAudience);
    const forged = await stranger.sign(caep('session-revoked'), {}, { subject: subject('erin') });
    expect(await transmitter.push(at('/events/shop/idp'), forged, { authorization: receiverSecret })).toMatchObject({
      status: 400,
      body: expect.stringContaining('"err":"invalid_key"'),
    });
    expect(await push(caep('session-revoked'), {}, 'erin', 'Bearer other')).toMatchObject({
      status: 400,
      body: expect.stringContaining('authentication_failed'),
    });
    expect(await ask(erin)).toBe('allow');
    expect(
      await push(caep('session-revoked'), { event_timestamp: Math.floor(Date.now() / 1000) }, 'erin'),
    ).toMatchObject({ status: 202 });
    expect([await ask(erin), await ask(bystander)]).toEqual(['401 token_revoked', 'allow']);
  });

  it('a risk that rises closes what asks for it, and only that', async () => {
    const frank = await tokenOf('frank');
    const push = async (current: string, previous: string, seconds: number): Promise<number> => {
      const event = {
        principal: 'USER',
        current_level: current,
        previous_level: previous,
        event_timestamp: Math.floor(Date.now() / 1000) + seconds,
      };
      const set = await transmitter.sign(caep('risk-level-change'), event, { subject: subject('frank') });
      return (await transmitter.push(at('/events/shop/idp'), set, { authorization: receiverSecret })).status;
    };
    expect(await ask(frank, '/orders/pay')).toBe('allow');
    expect(await push('HIGH', 'LOW', 0)).toBe(202);
    expect([await ask(frank, '/orders/pay'), await ask(frank)]).toEqual(['403 condition_failed', 'allow']);
    expect(await push('LOW', 'HIGH', 1)).toBe(202);
    expect(await ask(frank, '/orders/pay')).toBe('allow');
  });

  it('a disabled account is out until it is enabled, with a new token too', async () => {
    const grace = await tokenOf('grace');
    const push = async (type: string, seconds: number): Promise<number> => {
      const event = { event_timestamp: Math.floor(Date.now() / 1000) + seconds };
      const set = await transmitter.sign(risc(type), event, { subject: subject('grace') });
      return (await transmitter.push(at('/events/shop/idp'), set, { authorization: receiverSecret })).status;
    };
    const later = await issuer.sign({ sub: 'grace', jti: 'later', iat: Math.floor(Date.now() / 1000) + 5 });
    expect([await push('account-disabled', 0), await ask(grace), await ask(later)]).toEqual([
      202,
      '401 token_revoked',
      '401 token_revoked',
    ]);
    expect([await push('account-enabled', 1), await ask(grace), await ask(later)]).toEqual([
      202,
      '401 token_revoked',
      'allow',
    ]);
  });

  it('metrics count what was delivered, and nothing that was told names anybody', async () => {
    const { text } = await getText(service.httpPort, '/metrics');
    expect(text).toMatch(/portcullis_issuer_events_total\{event="session-revoked",result="taken"\} 1/);
    expect(text).toMatch(/portcullis_revocations\{source="events"\} [1-9]/);
    expect(text).toMatch(/portcullis_revocations_readable\{source="file"\} 1/);
    const told = [
      text,
      (await getText(service.adminPort, '/')).text,
      (await getText(service.adminPort, '/revocations')).text,
    ].join();
    // No token of any kind, whatever became of it.
    expect(service.output()).not.toContain('eyJ');
    const log = service.lines().filter(({ msg }) => msg !== 'decision');
    for (const secret of ['an-admin-token', 'a-secret-of-the-receiver', 'session-of-dora'])
      expect([told.includes(secret), JSON.stringify(service.lines()).includes(secret)]).toEqual([false, false]);
    for (const name of ['dora', 'erin', 'grace'])
      expect([told.includes(name), JSON.stringify(log).includes(name)]).toEqual([false, false]);
  });
});
