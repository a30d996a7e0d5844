import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RedisConnection } from '../../../src/stores/redis-connection.ts';
import { createRedisReplayStore } from '../../../src/stores/redis-replay-store.ts';
import { createAuthority } from '../../support/certificates.ts';
import { connectTo, isUp, type TestConnection } from '../support/redis-connection.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';

describeWithRedis('a connection to a real Redis', (binary) => {
  let folder: string;
  const servers: TestRedis[] = [];
  const connections: RedisConnection[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-store-'));
  });
  afterEach(async () => {
    for (const redis of connections.splice(0)) redis.close();
    for (const server of servers.splice(0)) await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const server = async (settings: readonly string[] = [], ports?: (port: number) => readonly string[]) => {
    const started = await startRedis(binary, settings, ports);
    servers.push(started);
    return started;
  };
  const connect = (...args: Parameters<typeof connectTo>): TestConnection => {
    const connection = connectTo(...args);
    connections.push(connection.redis);
    return connection;
  };
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  const refused = (promise: Promise<unknown>): Promise<{ readonly code: string; readonly ms: number }> => {
    const started = performance.now();
    return promise.then(
      () => ({ code: 'answered', ms: performance.now() - started }),
      (thrown: { code: string }) => ({ code: thrown.code, ms: performance.now() - started }),
    );
  };

  test('remembers a key once, for its time, and for every replica', async () => {
    const { port } = await server();
    const [one, two] = [connect(port).redis, connect(port).redis];
    const stores = [createRedisReplayStore(one, 'a:'), createRedisReplayStore(two, 'a:')];
    await expect.poll(() => isUp(one)() && isUp(two)()).toBe(true);
    expect(await stores[0]?.remember('proof', 300)).toBe(true);
    expect([await stores[0]?.remember('proof', 300), await stores[1]?.remember('proof', 300)]).toEqual([false, false]);
    expect(await createRedisReplayStore(two, 'b:').remember('proof', 300)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect(await stores[1]?.remember('proof', 300)).toBe(true);
    const raced = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => stores[index % 2]?.remember('race', 60_000)),
    );
    expect(raced.filter(Boolean).length).toBe(1);
  });

  test('that is not there yet is waited for, and refuses at once until then', async () => {
    const stopped = await server();
    await stopped.kill();
    const { redis, log } = connect(stopped.port);
    const store = createRedisReplayStore(redis, '');
    await expect.poll(() => redis.status().lastError).toBe('ECONNREFUSED');
    expect(await refused(Promise.resolve(store.remember('k', 1000)))).toMatchObject({ code: 'store_unavailable' });
    await stopped.restart();
    await expect.poll(isUp(redis), { timeout: 4000 }).toBe(true);
    expect([await store.remember('k', 1000), log]).toEqual([
      true,
      ['warn Redis cannot be used ECONNREFUSED', 'info Redis can be used'],
    ]);
  });

  test('that is killed refuses at once, says so, and is taken up again', async () => {
    const running = await server();
    const { redis, log } = connect(running.port);
    const store = createRedisReplayStore(redis, '');
    await expect.poll(isUp(redis)).toBe(true);
    await running.kill();
    await expect.poll(isUp(redis)).toBe(false);
    const { code, ms } = await refused(Promise.resolve(store.remember('k', 1000)));
    expect([code, ms < 100]).toEqual(['store_unavailable', true]);
    await running.restart();
    await expect.poll(isUp(redis), { timeout: 4000 }).toBe(true);
    expect(await store.remember('k', 1000)).toBe(true);
    expect(log.filter((line) => line.startsWith('info'))).toEqual(['info Redis can be used', 'info Redis can be used']);
  });

  test('that hangs refuses within the time of a command, then at once, and goes on when it does', async () => {
    const running = await server();
    const { redis } = connect(running.port);
    const store = createRedisReplayStore(redis, '');
    await expect.poll(isUp(redis)).toBe(true);
    running.pause();
    const first = await refused(Promise.resolve(store.remember('k', 60_000)));
    expect([first.code, first.ms >= 490 && first.ms < 900]).toEqual(['store_unavailable', true]);
    await expect.poll(isUp(redis), { timeout: 3000 }).toBe(false);
    const next = await refused(Promise.resolve(store.remember('other', 60_000)));
    expect([next.code, next.ms < 100, redis.status().lastError]).toEqual([
      'store_unavailable',
      true,
      'no answer within 500 ms',
    ]);
    running.resume();
    await expect.poll(isUp(redis), { timeout: 6000 }).toBe(true);
    expect(await store.remember('other', 60_000)).toBe(true);
  }, 20_000);

  test('that hangs for long is given up and connected to anew', async () => {
    const running = await server();
    const { redis, log } = connect(running.port);
    await expect.poll(isUp(redis)).toBe(true);
    running.pause();
    await new Promise((resolve) => setTimeout(resolve, 6500));
    expect(redis.status().isUp).toBe(false);
    running.resume();
    await expect.poll(isUp(redis), { timeout: 6000 }).toBe(true);
    expect(log.filter((line) => line.startsWith('error'))).toEqual([]);
  }, 20_000);

  test('asks for a user and a password, reads them anew for each connection, and never tells them', async () => {
    const { port } = await server(['user default off', 'user portcullis on >canary4711 ~* &* +@all']);
    const passwordFile = await file('password', 'wrong-canary4711\n');
    const { redis, log } = connect(port, { username: 'portcullis', passwordFile });
    await expect.poll(() => redis.status().lastError).toBe('Redis says WRONGPASS');
    const nobody = connect(port).redis;
    await expect.poll(() => nobody.status().lastError).toBe('Redis says NOAUTH');
    await file('password', 'canary4711\n');
    await expect.poll(isUp(redis), { timeout: 5000 }).toBe(true);
    expect(await createRedisReplayStore(redis, '').remember('k', 1000)).toBe(true);
    const failed = connect(port, { username: 'portcullis', passwordFile: join(folder, 'nothing') }).redis;
    await expect.poll(() => failed.status().lastError).toBe('ENOENT');
    const thrown: unknown = await failed.send(['PING']).catch((error: unknown) => error);
    expect(JSON.stringify([redis.status(), log, String(thrown)])).not.toContain('canary4711');
  });

  test('over TLS trusts the authority it is told, for the name it asked for, and nobody else', async () => {
    const authority = createAuthority();
    const pair = authority.issue({ name: 'redis' });
    const { port } = await server(
      [
        `tls-cert-file ${await file('cert.pem', pair.certificate)}`,
        `tls-key-file ${await file('key.pem', pair.key)}`,
        'tls-auth-clients no',
        // The certificate is not for the second one.
        'bind 127.0.0.1 127.0.0.2',
      ],
      (free) => ['port 0', `tls-port ${free}`],
    );
    const caFile = await file('ca.pem', authority.certificate);
    const otherCa = await file('other.pem', createAuthority('another root').certificate);
    const right = connect(port, { isTls: true, host: 'localhost', caFile }).redis;
    const byAddress = connect(port, { isTls: true, caFile }).redis;
    const unknown = connect(port, { isTls: true, host: 'localhost' }).redis;
    const wrong = connect(port, { isTls: true, host: 'localhost', caFile: otherCa }).redis;
    const plain = connect(port).redis;
    const misnamed = connect(port, { isTls: true, host: '127.0.0.2', caFile }).redis;
    await expect.poll(() => isUp(right)() && isUp(byAddress)(), { timeout: 4000 }).toBe(true);
    expect(await createRedisReplayStore(right, '').remember('k', 1000)).toBe(true);
    for (const redis of [unknown, wrong, plain, misnamed])
      await expect.poll(() => redis.status().lastError).not.toBe('not connected yet');
    expect([unknown, wrong, plain, misnamed].map((redis) => redis.status().isUp)).toEqual([false, false, false, false]);
    expect([unknown, wrong, misnamed].map((redis) => redis.status().lastError)).toEqual([
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ]);
    expect(right.status()).toEqual({ address: `rediss://localhost:${port}/0`, isUp: true, lastError: undefined });
  });

  test('that is no Redis is told apart from one', async () => {
    const stranger = createServer((socket) =>
      socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const address = stranger.address();
    const { redis } = connect(typeof address === 'object' && address !== null ? address.port : 0);
    await expect.poll(() => redis.status().lastError).not.toBe('not connected yet');
    expect(redis.status().isUp).toBe(false);
    stranger.close();
  });
});
