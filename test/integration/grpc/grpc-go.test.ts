import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ghzPart } from '../../tools/parts/ghz.ts';
import { grpcurlPart } from '../../tools/parts/grpcurl.ts';
import { describeWithParts } from '../support/describe-with-parts.ts';
import { ghzFlags, loadByGhz } from './support/ghz.ts';
import {
  callByGrpcurl,
  checkMethod,
  grpcurlFlags,
  healthCheckMethod,
  healthWatchMethod,
  type GrpcurlCall,
  type GrpcurlOutcome,
} from './support/grpcurl.ts';
import { maxReceiveBytes, serveShop, ways, type ServedShop, type Way } from './support/served-shop.ts';
import { orderCheck } from './support/shop.ts';

const describeWithGrpcGo = await describeWithParts({ grpcurl: grpcurlPart, ghz: ghzPart });

describeWithGrpcGo('clients on grpc-go before', ({ grpcurl, ghz }) => {
  describe.each(['grpc-js', 'native'] as const)('%s', (transport) => {
    let served: ServedShop;
    let token: string;

    beforeAll(async () => {
      served = await serveShop(transport);
      token = await served.shop.issuer.sign({ sub: 'alice' });
    });
    afterAll(() => served.close());

    const call = (way: Way, method: string, more?: GrpcurlCall): Promise<GrpcurlOutcome> =>
      callByGrpcurl(grpcurl, grpcurlFlags(way, served.shop), served.addressOf(way), method, more);
    const check = (data: object, more: GrpcurlCall = {}, way: Way = 'plain'): Promise<GrpcurlOutcome> =>
      call(way, checkMethod, { data, ...more });

    it.each(ways)('%s: a token is allowed, none is denied, and the service is healthy', async (way) => {
      const [allowed, denied, health] = await Promise.all([
        check(orderCheck(token), {}, way),
        check(orderCheck(undefined), {}, way),
        call(way, healthCheckMethod, { data: { service: 'envoy.service.auth.v3.Authorization' } }),
      ]);
      expect(allowed).toMatchObject({ status: 'OK', answers: [{ okResponse: { headers: [userHeader('alice')] } }] });
      expect(denied).toMatchObject({
        status: 'OK',
        answers: [{ status: { code: 16 }, deniedResponse: { status: { code: 'Unauthorized' } } }],
      });
      expect(health).toEqual({ status: 'OK', answers: [{ status: 'SERVING' }] });
    });

    it('a client without a certificate is not answered where one is asked for', async () => {
      const secured = grpcurlFlags('tls', served.shop);
      const flags = ['-connect-timeout', '2'];
      const outcome = await callByGrpcurl(grpcurl, secured, served.addressOf('mutual'), checkMethod, { flags });
      expect(outcome.answers).toEqual([]);
      expect(outcome.status).not.toBe('OK');
    });

    it('who watches health is told at once, of the end too', async () => {
      const service = await served.start();
      const told = Promise.withResolvers<void>();
      const watched = callByGrpcurl(grpcurl, ['-plaintext'], service.grpcAddress, healthWatchMethod, {
        onOutput: () => told.resolve(),
      });
      await told.promise;
      await service.stop();
      expect(await watched).toEqual({
        status: 'Unavailable',
        answers: [{ status: 'SERVING' }, { status: 'NOT_SERVING' }],
      });
    });

    it('a service and a method that are not there are UNIMPLEMENTED', async () => {
      const folder = served.shop.pathOf('protos');
      mkdirSync(folder);
      const proto = (name: string, rpc: string): string =>
        `syntax = "proto3"; package ${name}; message Nothing {} service Authorization { rpc ${rpc}(Nothing) returns (Nothing); }`;
      writeFileSync(`${folder}/v2.proto`, proto('envoy.service.auth.v2', 'Check'));
      writeFileSync(`${folder}/v3.proto`, proto('envoy.service.auth.v3', 'Explain'));
      const statuses = [
        await call('plain', 'envoy.service.auth.v2.Authorization/Check', { protos: [folder, 'v2.proto'] }),
        await call('plain', 'envoy.service.auth.v3.Authorization/Explain', { protos: [folder, 'v3.proto'] }),
      ];
      expect(statuses.map(({ status }) => status)).toEqual(['Unimplemented', 'Unimplemented']);
    });

    it('a health check of what is not there is NOT_FOUND', async () => {
      expect((await call('plain', healthCheckMethod, { data: { service: 'shop.Orders' } })).status).toBe('NotFound');
    });

    it('a message up to the limit is decided, a longer one is RESOURCE_EXHAUSTED', async () => {
      const body = (bytes: number): object => orderCheck(token, [['x-long', 'x'.repeat(bytes)]]);
      const [fits, long] = [await check(body(maxReceiveBytes - 2000)), await check(body(maxReceiveBytes))];
      expect([fits.answers.length, fits.status, long.status]).toEqual([1, 'OK', 'ResourceExhausted']);
    });

    it('compressed messages are answered as docs/grpc.md says, and the next ones as ever', async () => {
      const messages = [orderCheck(token)];
      const flags = ['--enable-compression'];
      const secured = ghzFlags('plain', served.shop);
      const compressed = await loadByGhz(ghz, secured, served.addressOf('plain'), { messages, calls: 50, flags });
      expect(compressed).toEqual(transport === 'native' ? { Unimplemented: 50 } : { OK: 50 });
      expect((await check(orderCheck(token))).status).toBe('OK');
    });

    it.each(ways)('%s: thousands of checks at once are each decided right', async (way) => {
      const before = [await served.decided(way, 'allow ok'), await served.decided(way, 'deny credential_missing')];
      const target = way === 'unix' ? `unix://${served.addressOf(way)}` : served.addressOf(way);
      const load = { messages: [orderCheck(token), orderCheck(undefined)], calls: 2000 };
      expect(await loadByGhz(ghz, ghzFlags(way, served.shop), target, load)).toEqual({ OK: 2000 });
      const after = [await served.decided(way, 'allow ok'), await served.decided(way, 'deny credential_missing')];
      expect(after.map((count, index) => count - (before[index] ?? 0))).toEqual([1000, 1000]);
    });

    it('a check that waits is denied by us before the caller gives up', async () => {
      served.shop.gate.shut();
      await served.shop.issuer.rotate();
      const late = await served.shop.issuer.sign({ sub: 'bob' });
      const outcome = await check(orderCheck(late), { maxTime: 1.5 });
      served.shop.gate.open();
      expect(outcome).toMatchObject({
        status: 'OK',
        answers: [{ deniedResponse: { body: expect.stringContaining('deadline_exceeded') as unknown } }],
      });
    });
  });
});

function userHeader(user: string): object {
  return expect.objectContaining({ header: { key: 'x-user', value: user } }) as object;
}
