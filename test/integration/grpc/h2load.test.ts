import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPath } from '../../../src/envoy/check-service.ts';
import { h2loadPart } from '../../tools/parts/h2load.ts';
import { callUnary, clientOf, framed } from '../../unit/envoy/grpc-clients.ts';
import { describeWithParts } from '../support/describe-with-parts.ts';
import { loadByH2load, type H2loadCounts } from './support/h2load.ts';
import { serveShop, type ServedShop, type Way } from './support/served-shop.ts';
import { orderBytes } from './support/shop.ts';

const describeWithH2load = await describeWithParts({ h2load: h2loadPart });

describeWithH2load('1000 streams at once of h2load before', ({ h2load }) => {
  describe.each(['grpc-js', 'native'])('%s', (transport) => {
    let served: ServedShop;
    let token: string;

    beforeAll(async () => {
      served = await serveShop(transport);
      token = await served.shop.issuer.sign({ sub: 'alice' });
    });
    afterAll(() => served.close());

    /** Sends the check so many times and answers what h2load counts. */
    async function load(way: Way, bytes: Uint8Array, calls: number): Promise<H2loadCounts> {
      const file = served.shop.pathOf('frame');
      writeFileSync(file, framed(bytes));
      const scheme = way === 'tls' ? 'https' : 'http';
      const authority = way === 'unix' ? 'localhost' : served.addressOf(way);
      const more = way === 'unix' ? ['--base-uri', `unix:${served.addressOf(way)}`] : [];
      return loadByH2load(h2load, `${scheme}://${authority}${checkPath}`, file, calls, more);
    }

    /** How long the answer to the check is, with its prefix. Every one is as long: ids have one length. */
    async function answerBytes(bytes: Uint8Array): Promise<number> {
      const client = clientOf(served.addressOf('plain'));
      const answer = await callUnary(client, checkPath, bytes);
      client.close();
      return answer instanceof Uint8Array ? 5 + answer.length : 0;
    }

    it.each<[Way, number]>([
      ['plain', 10_000],
      ['tls', 5000],
      ['unix', 5000],
    ])('over %s are all answered, each with the whole decision', async (way, calls) => {
      for (const [bytes, outcome] of [
        [orderBytes(token), 'allow ok'],
        [orderBytes(undefined), 'deny credential_missing'],
      ] as const) {
        const bytesEach = await answerBytes(bytes);
        const before = await served.decided(way, outcome);
        expect(await load(way, bytes, calls)).toEqual({
          total: calls,
          succeeded: calls,
          failed: 0,
          errored: 0,
          timeout: 0,
          good: calls,
          dataBytes: calls * bytesEach,
        });
        expect((await served.decided(way, outcome)) - before).toBe(calls);
      }
    });
  });
});
