import fc from 'fast-check';
import { startNative } from '../native-server.ts';
import { conversation } from './conversation.ts';
import { bytesOf, printed } from './frames.ts';
import { changed } from './mutations.ts';
import type { Write } from './observe.ts';
import { maxMessageBytes, news } from './reference-server.ts';

/** A conversation, and where its bytes are cut. */
export const script = fc.record({
  // Where a client says GOAWAY, node:http2 ends the connection some time later: nothing behind it could be compared.
  pieces: changed(conversation, 3).map((pieces) => pieces.filter(({ type }) => type !== 7)),
  cuts: fc.array(fc.nat(), { maxLength: 4 }),
});
export type Script = typeof script extends fc.Arbitrary<infer Value> ? Value : never;

/** A write for each frame, which is waited for, and more of them at the cuts. */
export function frameByFrame({ pieces, cuts }: Script): readonly Write[] {
  const whole = Buffer.concat(pieces.map(bytesOf));
  const ends = new Map<number, boolean>();
  for (const cut of cuts) ends.set(cut % (whole.length + 1), false);
  let at = 0;
  for (const { payload } of pieces) {
    at += 9 + payload.length;
    ends.set(at, true);
  }
  return cutAt(whole, ends);
}

/** All at once, but for the cuts. */
export function inPieces({ pieces, cuts }: Script): readonly Write[] {
  const whole = Buffer.concat(pieces.map(bytesOf));
  return cutAt(
    whole,
    new Map([...cuts.map((cut) => cut % (whole.length + 1)), whole.length].map((end) => [end, false])),
  );
}

function cutAt(whole: Buffer, ends: ReadonlyMap<number, boolean>): readonly Write[] {
  const sorted = [...ends].sort(([a], [b]) => a - b);
  return sorted.map(([end, isWaitedFor], index) => ({
    bytes: whole.subarray(sorted[index - 1]?.[0] ?? 0, end),
    isWaitedFor,
  }));
}

export function print({ pieces, cuts }: Script): string {
  return [...pieces.map(printed), `cut at ${cuts.join(' ')}`].join('\n');
}

/** The native transport with the methods of the reference. */
export async function startOurs(soon: 'at once' | 'later'): Promise<string> {
  const server = await startNative({
    maxReceiveBytes: maxMessageBytes,
    methods: [
      {
        kind: 'unary',
        path: '/test.Test/Soon',
        fallback: undefined,
        handle: (request) => (soon === 'later' ? Promise.resolve(request) : request),
      },
      {
        kind: 'server-streaming',
        path: '/test.Test/Watch',
        open(_request, stream) {
          for (const one of news) stream.send(one);
          return () => undefined;
        },
      },
    ],
  });
  return server.address;
}
