import { expect, it } from 'vitest';
import { startEchoUpstream } from '../../src/dev/echo-upstream.ts';
import { exchange } from '../../src/dev/http-exchange.ts';
import { startFakeCheckServer } from './support/fake-check-server.ts';
import { startEnvoyBefore } from './support/stand.ts';
import { describeWithEnvoy } from './support/with-envoy.ts';

describeWithEnvoy('what Envoy makes of an answer', (envoyBinary) => {
  const statusFor = async (answer: () => object, filter = {}): Promise<number> => {
    const [fake, upstream] = await Promise.all([startFakeCheckServer(answer), startEchoUpstream()]);
    const envoy = await startEnvoyBefore(fake.address, upstream.port, { envoyBinary, filter });
    try {
      const headers = { host: 'shop.example' };
      return (await exchange(envoy.port, { method: 'GET', path: '/', headers })).status;
    } finally {
      await envoy.close();
      await upstream.close();
      fake.close();
    }
  };

  it.each([
    ['an empty message: an allow', {}, 200],
    ['a denial without a status: an allow', { deniedResponse: { status: { code: 401 } } }, 200],
    ['a status of 7: a denial', { status: { code: 7 } }, 403],
    [
      'a status of 16 with a denial: its HTTP status',
      { status: { code: 16 }, deniedResponse: { status: { code: 401 } } },
      401,
    ],
  ])('is, for %s', async (_title, answer, status) => {
    expect(await statusFor(() => answer)).toBe(status);
  });

  it('is an allow for a gRPC error where the proxy is told to fail open, and a denial in a message is none', async () => {
    const failOpen = { failure_mode_allow: true };
    const thrown = (): object => {
      throw new Error('no answer');
    };
    const denied = (): object => ({ status: { code: 14 }, deniedResponse: { status: { code: 503 } } });
    expect([await statusFor(thrown, failOpen), await statusFor(denied, failOpen)]).toEqual([200, 503]);
  });
});
