import { createServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  streamWindow,
  connectionWindow,
  maxConcurrentStreams,
  maxHeaderListBytes,
} from '../../../../../src/grpc/http2/limits.ts';
import { prefixed } from '../raw-peer.ts';

/** The longest message that both servers take. */
export const maxMessageBytes = 100_000;
/** What `/test.Test/Watch` says before it waits. */
export const news = [Buffer.from('news'), Buffer.from('more news')] as const;

/** The same methods as the fuzzers' native server has, answered by node:http2 as gRPC over HTTP/2 says. */
export async function startReference(): Promise<string> {
  const server = createServer({
    settings: { initialWindowSize: streamWindow, maxConcurrentStreams, maxHeaderListSize: maxHeaderListBytes },
    maxSessionInvalidFrames: 100_000,
    maxSessionRejectedStreams: 100_000,
    streamResetBurst: 100_000,
    streamResetRate: 100_000,
  });
  const sessions = new Set<Http2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(connectionWindow);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => {});
  });
  server.on('sessionError', () => {});
  server.on('stream', (stream, _headers, flags, rawHeaders) => answer(stream, fieldsOf(rawHeaders), (flags & 1) !== 0));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => void server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The last of each name counts. */
function fieldsOf(raw: readonly string[]): ReadonlyMap<string, string> {
  const pairs = Array.from(
    { length: raw.length / 2 },
    (_pair, index) => [raw[index * 2] ?? '', raw[index * 2 + 1] ?? ''] as const,
  );
  return new Map(pairs);
}

function answer(stream: ServerHttp2Stream, fields: ReadonlyMap<string, string>, isEnded: boolean): void {
  stream.on('error', () => {});
  const refused = refusal(fields);
  if (refused !== undefined) {
    stream.respond(refused, { endStream: true });
    return;
  }
  const isCompressed = (fields.get('grpc-encoding') ?? 'identity') !== 'identity';
  let received = Buffer.alloc(0);
  let isOver = false;
  const judge = (isLast: boolean): void => {
    if (isOver || stream.destroyed || stream.closed) return;
    const status = statusOf(received, isLast, isCompressed);
    if (status === 'more') return;
    isOver = true;
    if (status === 0) run(stream, fields.get(':path') ?? '', received.subarray(5));
    else stream.respond({ ...grpc, 'grpc-status': String(status) }, { endStream: true });
  };
  stream.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    judge(false);
  });
  stream.on('end', () => judge(true));
  if (isEnded) stream.resume();
}

const grpc = { ':status': 200, 'content-type': 'application/grpc' } as const;
const paths = new Set(['/test.Test/Echo', '/test.Test/Soon', '/test.Test/Watch']);

function refusal(fields: ReadonlyMap<string, string>): Readonly<Record<string, string | number>> | undefined {
  if (fields.get(':method') !== 'POST') return { ':status': 405 };
  if (!/^application\/grpc(?:$|[+;])/u.test(fields.get('content-type') ?? '')) return { ':status': 415 };
  if (!paths.has(fields.get(':path') ?? '')) return { ...grpc, 'grpc-status': '12' };
  const timeout = fields.get('grpc-timeout');
  return timeout === undefined || /^\d{1,8}[HMSmun]$/u.test(timeout) ? undefined : { ...grpc, 'grpc-status': '13' };
}

/** 0: it is one whole message; another number: the status of its failure; `more`: it is not known yet. */
function statusOf(received: Buffer, isLast: boolean, isCompressed: boolean): number | 'more' {
  if (received.length >= 5) {
    if (received[0] !== 0) return isCompressed ? 12 : 13;
    const length = received.readUInt32BE(1);
    if (length > maxMessageBytes) return 8;
    if (received.length - 5 > length) return 12;
    if (isLast && received.length - 5 === length) return 0;
  }
  return isLast ? 12 : 'more';
}

function run(stream: ServerHttp2Stream, path: string, message: Buffer): void {
  if (path === '/test.Test/Watch') {
    stream.respond(grpc);
    for (const one of news) stream.write(prefixed(one));
    return;
  }
  stream.respond(grpc, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(prefixed(message));
}
