import { describe, expect, test } from 'vitest';
import { createCheckRequestDecoder } from '../../../src/envoy/decode-check-request.ts';
import { encodeCheck } from '../../support/check-over-grpc.ts';
import { DecisionLoad, HeldDecision, type HeldMessage } from '../../../src/envoy/decision-load.ts';
import type { PeerWork } from '../../../src/grpc/transport.ts';

const mebi = 1024 * 1024;
const freshPeer = (): PeerWork => ({ count: 0, bytes: 0 });

describe('room for a decision that waits', () => {
  test('is free to 4096 of a connection, and from 8192 on nothing more is asked', () => {
    const load = new DecisionLoad(mebi);
    const peer = freshPeer();
    const rooms = [4095, 1, 4095, 1].map((decisions) => {
      load.add(peer, decisions, 0);
      return load.roomFor(peer);
    });
    expect(rooms).toEqual(['free', 'full', 'full', 'over']);
    load.add(peer, -4097, 0);
    expect(load.roomFor(peer)).toBe('free');
  });

  test.each<[string, number, number]>([
    ['8192', 8192, 0],
    ['128 MiB', 0, 128 * mebi],
  ])(
    'is free to %s of all, and from twice as much on nothing more is asked, but for a share',
    (_, decisions, bytes) => {
      const load = new DecisionLoad(mebi);
      const others = Array.from({ length: 8 }, freshPeer);
      const [usual, few, long] = [
        { count: 128, bytes: 0 },
        { count: 127, bytes: mebi - 1 },
        { count: 0, bytes: mebi },
      ];
      const rooms = () => [usual, few, long, undefined].map((peer) => load.roomFor(peer));
      expect(rooms()).toEqual(['free', 'free', 'free', 'free']);
      for (const peer of others) load.add(peer, decisions / 8, bytes / 8);
      expect(rooms()).toEqual(['full', 'free', 'full', 'full']);
      for (const peer of others) load.add(peer, decisions / 8, bytes / 8);
      expect(rooms()).toEqual(['over', 'free', 'over', 'over']);
      load.add(others[0], -decisions / 4, -bytes / 4);
      expect(rooms()).toEqual(['full', 'free', 'full', 'full']);
    },
  );

  test('is as large as sixteen of the longest messages where these are long', () => {
    const load = new DecisionLoad(64 * mebi);
    load.add(undefined, 15, 15 * 64 * mebi);
    expect(load.roomFor(undefined)).toBe('free');
    load.add(undefined, 1, 64 * mebi);
    expect(load.roomFor(undefined)).toBe('full');
  });
});

describe('a decision that waits', () => {
  function messageOf(textBytes: number): HeldMessage & { released: number } {
    const message = { textBytes, released: 0, release: () => void message.released++ };
    return message;
  }

  test('counts with its message, then with what was made of that, and no more when it is there', () => {
    const peer = freshPeer();
    const message = messageOf(300);
    const held = new HeldDecision(new DecisionLoad(mebi), peer, message, 20_000);
    expect(peer).toEqual({ count: 1, bytes: 24_096 });
    held.letGo();
    held.letGo();
    expect([peer, message.released]).toEqual([{ count: 1, bytes: 4396 }, 1]);
    held.end();
    expect(peer).toEqual({ count: 0, bytes: 0 });
    held.letGo();
    expect(peer).toEqual({ count: 0, bytes: 0 });
  });

  test('whose check is answered by it keeps its message, for what is recorded', () => {
    const peer = freshPeer();
    const message = messageOf(300);
    const held = new HeldDecision(new DecisionLoad(mebi), peer, message, 20_000);
    held.end();
    held.letGo();
    expect([peer, message.released]).toEqual([{ count: 0, bytes: 0 }, 0]);
  });

  test('without a message counts as it is', () => {
    const peer = freshPeer();
    const held = new HeldDecision(new DecisionLoad(mebi), peer, undefined, 0);
    held.letGo();
    expect(peer).toEqual({ count: 1, bytes: 4096 });
    held.end();
    expect(peer).toEqual({ count: 0, bytes: 0 });
  });
});

test('what stays of a message is the path and whatever else was made of it at once, not its headers alone', () => {
  const decoder = createCheckRequestDecoder();
  const heldBy = (path: string, certificate: string, extension: string): number => {
    const http = { method: 'GET', host: 'a.example', path, headers: { 'x-a': 'some value' } };
    const source = { certificate };
    const decoded = decoder.decode(
      encodeCheck({ attributes: { source, request: { http }, contextExtensions: { some: extension } } }),
    );
    if (decoded.kind !== 'request') throw new Error(decoded.why);
    return decoded.message?.textBytes ?? 0;
  };
  const least = heldBy('/', '', '');
  expect(least).toBeGreaterThanOrEqual('x-asome value'.length);
  expect(heldBy(`/${'x'.repeat(60_000)}`, '', '')).toBe(least + 120_000);
  expect(heldBy('/', 'c'.repeat(14_000), 'e'.repeat(5_000))).toBe(least + 19_000);
});

test('of a message that is let go no header is found any more', () => {
  const http = { method: 'GET', host: 'a.example', path: '/', headers: { 'x-a': 'some value' } };
  const decoded = createCheckRequestDecoder().decode(encodeCheck({ attributes: { request: { http } } }));
  if (decoded.kind !== 'request') throw new Error(decoded.why);
  const { headers } = decoded.request;
  expect([headers.isLetGo, headers.find('x-a', 0)]).toEqual([false, 0]);
  decoded.message?.release();
  expect([headers.isLetGo, headers.find('x-a', 0), headers.length]).toEqual([true, -1, 0]);
});
