import { afterAll, describe, expect, it } from 'vitest';
import { createHttp2Server } from '../../../src/grpc/http2/server.ts';
import { encodeHeaderBlock } from '../../../src/grpc/hpack/encode-header-block.ts';
import { runCommand } from '../../../src/dev/run-command.ts';
import { listenOn, type TakeConnection } from '../../../src/std/listen.ts';
import { createTlsAcceptor } from '../../../src/std/tls-acceptor.ts';
import { createAuthority } from '../../support/certificates.ts';
import { realTimers } from '../../support/decision-stand.ts';
import { partsAreRequired } from '../../tools/parts.ts';
import { h2specPart } from '../../tools/parts/h2spec.ts';

const h2spec = await h2specPart.find(process.env);
if (h2spec === undefined && partsAreRequired(process.env)) {
  throw new Error(
    'CI=true and there is no h2spec: `node test/tools/run.ts parts` brings it and says why where it cannot.',
  );
}
const describeWithH2spec = h2spec === undefined ? describe.skip : describe;

/** Every case of h2spec 2.2.1. Those that the server cannot meet would stand here, with the reason: there are none. */
const everyCase = '145 tests, 145 passed, 0 skipped, 0 failed';

const head = encodeHeaderBlock([
  [':status', '200'],
  ['content-type', 'text/plain'],
]);
const trailers = encodeHeaderBlock([['x-end', 'yes']]);
const body = Buffer.alloc(100, 'x');

const closers: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(closers.map((close) => close())));

/** The HTTP/2 server of the transport with a handler that answers a body to whatever is asked: the cases know nothing of gRPC. Answers its port. */
async function start(secure?: (handOver: TakeConnection) => TakeConnection): Promise<number> {
  const server = createHttp2Server<undefined, undefined>({
    createApplication: () => ({
      readHead: () => undefined,
      open: (stream, _head, isEnded) => isEnded && stream.answer(head, body, trailers),
      data: (stream, _bytes, _start, _end, isEnded) => isEnded && stream.answer(head, body, trailers),
      cancelled: () => undefined,
      tick: () => undefined,
    }),
    now: () => performance.now(),
    timers: realTimers,
    onError: (why, isOurs) => {
      if (isOurs) ourMistakes.push(why);
    },
  });
  const take = secure?.(server.take) ?? server.take;
  const listener = await listenOn({ kind: 'tcp', host: '127.0.0.1', port: 0 }, 0o600, take);
  closers.push(() => {
    server.close();
    listener.destroyConnections();
    return listener.close();
  });
  return listener.address.kind === 'tcp' ? listener.address.port : 0;
}
const ourMistakes: string[] = [];

/** What h2spec says at its end. */
async function runH2spec(port: number, ...more: readonly string[]): Promise<string> {
  const args = ['-h', '127.0.0.1', '-p', String(port), '--timeout', '5', ...more, 'generic', 'http2', 'hpack'];
  const { output } = await runCommand(h2spec ?? '', args, { timeoutMs: 170_000 });
  const summary = /^\d+ tests, .*$/mu.exec(output)?.[0];
  return summary === everyCase ? summary : output;
}

describeWithH2spec('the HTTP/2 of our own transport', { timeout: 180_000 }, () => {
  it('passes every case of h2spec', async () => {
    expect(await runH2spec(await start())).toBe(everyCase);
    expect(ourMistakes).toEqual([]);
  });

  it('passes every case of h2spec over TLS', async () => {
    const pair = createAuthority('h2spec').issue();
    const options = { minVersion: 'TLSv1.2', protocol: 'h2', onHandshake: () => undefined } as const;
    const acceptor = createTlsAcceptor({ ...pair, clientCas: undefined }, options);
    const port = await start((handOver) => acceptor.secure(handOver));
    expect(await runH2spec(port, '--tls', '--insecure')).toBe(everyCase);
    expect(ourMistakes).toEqual([]);
  });
});
