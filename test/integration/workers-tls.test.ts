import { credentials } from '@grpc/grpc-js';
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createAuthority, type TestPair } from '../support/certificates.ts';
import { createCheckClient, type CheckClient } from '../support/check-over-grpc.ts';
import { eventually } from '../support/eventually.ts';
import { checkRequest } from '../unit/envoy/envoy-fixtures.ts';
import type { ServeProcess } from './support/serve-process.ts';
import { clients, metricOf, reloadsOf, servers, strangers, useTlsFolder } from './support/tls-folder.ts';

const stage = useTlsFolder();
const { pathOf, write, tlsFlags, mutualFlags, serve } = stage;
const check = checkRequest({ host: 'shop.example', path: '/x', protocol: 'HTTP/1.1' });

/** A client on a connection of its own. */
function clientOf(service: ServeProcess, own?: TestPair, trusted = servers.certificate): CheckClient {
  const parts = [own?.key, own?.certificate].map((text) => (text === undefined ? null : Buffer.from(text)));
  const client = createCheckClient(service.grpcAddress, credentials.createSsl(Buffer.from(trusted), ...parts));
  stage.onEnd(() => client.close());
  return client;
}

const ask = (client: CheckClient): Promise<string> =>
  client.send(check).then(
    ({ status }) => (status?.code === 0 ? 'allow' : 'deny'),
    () => 'no answer',
  );

/** Each on a connection of its own: four of them in turn are two for each worker. */
async function askFour(service: ServeProcess, own?: TestPair, trusted?: string): Promise<readonly string[]> {
  const outcomes: string[] = [];
  for (let time = 0; time < 4; time++) {
    const client = clientOf(service, own, trusted);
    outcomes.push(await ask(client));
    client.close();
  }
  return outcomes;
}

const [allowed, refused] = ['allow', 'no answer'].map((outcome) => Array.from({ length: 4 }, () => outcome));

/** The workers whose lines say so. */
const workersThatSay = (service: ServeProcess, message: string): readonly number[] =>
  [
    ...new Set(
      service
        .lines()
        .filter(({ msg }) => String(msg).startsWith(message))
        .map(({ worker }) => Number(worker)),
    ),
  ].toSorted((a, b) => a - b);

/** The log of decisions goes out when the process ends. */
async function deciding(service: ServeProcess): Promise<readonly number[]> {
  service.signal('SIGTERM');
  expect(await service.ended).toBe(0);
  return workersThatSay(service, 'decision');
}

describe.each(['native', 'grpc-js'])('two workers over TLS on %s', (transport) => {
  const on = ['--transport', transport, '--workers', '2'];

  test('each speaks it and follows its files, for connections from then on', async () => {
    const service = await serve([...tlsFlags(), ...on]);
    const next = createAuthority('next');
    const steady = [clientOf(service), clientOf(service)];
    for (const each of steady) expect(await ask(each)).toBe('allow');
    expect(await askFour(service)).toEqual(allowed);
    expect(await askFour(service, undefined, next.certificate)).toEqual(refused);
    write(next.issue());
    await eventually(async () => expect(await reloadsOf(service, 'ok')).toBe(2));
    expect(await askFour(service)).toEqual(refused);
    expect(await askFour(service, undefined, next.certificate)).toEqual(allowed);
    for (const each of steady) expect(await ask(each)).toBe('allow');
    expect(await deciding(service)).toEqual([1, 2]);
  }, 30_000);

  test('each lets in whom the issuers of clients say, and nobody else, also when these become others', async () => {
    const service = await serve([...mutualFlags(), ...on]);
    const [before, after] = [clients.issue(), strangers.issue()];
    expect([await askFour(service, before), await askFour(service, after), await askFour(service)]).toEqual([
      allowed,
      refused,
      refused,
    ]);
    expect(workersThatSay(service, 'a TLS handshake was refused')).toEqual([1, 2]);
    const told = service.lines().filter(({ msg }) => String(msg).startsWith('a TLS handshake was refused'));
    expect(new Set(told.map(({ remoteAddress }) => remoteAddress))).toEqual(new Set(['127.0.0.1']));
    expect(await metricOf(service, 'portcullis_tls_handshakes_total{result="ok"}')).toBe(4);
    writeFileSync(pathOf('ca.crt'), strangers.certificate);
    await eventually(async () => expect(await reloadsOf(service, 'ok')).toBe(2));
    expect([await askFour(service, before), await askFour(service, after), await askFour(service)]).toEqual([
      refused,
      allowed,
      refused,
    ]);
    expect(await deciding(service)).toEqual([1, 2]);
  }, 30_000);

  test('each keeps the last good pair while its files are half done', async () => {
    const service = await serve([...tlsFlags(), ...on]);
    const next = createAuthority('next');
    const pair = next.issue();
    writeFileSync(pathOf('tls.crt'), pair.certificate);
    await eventually(async () => expect(await reloadsOf(service, 'failed')).toBe(2));
    expect(await askFour(service)).toEqual(allowed);
    writeFileSync(pathOf('tls.key'), pair.key);
    await eventually(async () => expect(await reloadsOf(service, 'ok')).toBe(2));
    expect([await askFour(service), await askFour(service, undefined, next.certificate)]).toEqual([refused, allowed]);
  }, 30_000);
});
