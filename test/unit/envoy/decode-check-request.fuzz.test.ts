import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { createCheckRequestDecoder, type DecodedCheck } from '../../../src/envoy/decode-check-request.ts';
import { arbitrarilyChanged, arbitraryCheck } from '../../support/arbitrary-check.ts';
import { listed } from '../../support/raw-headers.ts';
import { createMergingDecoder } from '../../support/merging-decoder.ts';
import { createProtoLoaderDecoder } from '../../support/proto-loader-decoder.ts';

const ours = createCheckRequestDecoder();
/** What @grpc/proto-loader makes of it: the message that comes last counts. It is lenient with lengths. */
const loader = createProtoLoaderDecoder();
/** What protobuf-es makes of it: a message that comes twice is one. It is lenient too. */
const merging = createMergingDecoder();

// Two cores that others share may need longer than the usual five seconds.
vi.setConfig({ testTimeout: 60_000 });

const settings = { numRuns: 1000, seed: 20_261_121 };

function plain(read: DecodedCheck): unknown {
  return read.kind === 'request' ? listed(read.request) : read;
}

/** Both refuse a message, each in its words, or read the same. */
function expectSame(read: DecodedCheck, expected: DecodedCheck): void {
  if (expected.kind === 'undecodable') expect(read.kind).toBe('undecodable');
  else expect(plain(read)).toEqual(plain(expected));
}

test('every message in which no message comes twice is read as the loader reads it', () => {
  const kinds = new Set<string>();
  fc.assert(
    fc.property(arbitraryCheck('once'), (bytes) => {
      const read = ours.decode(bytes);
      kinds.add(read.kind === 'request' ? `${read.request.kind} ${read.request.duplicates}` : read.why);
      if (read.kind === 'request' && read.request.route !== undefined) kinds.add('a route');
      expectSame(read, loader.decode(bytes));
    }),
    settings,
  );
  // The messages are not all of one kind.
  const all = [
    'a route',
    'http joined',
    'http separate',
    'it has both headers and header_map',
    'other joined',
    'the message is empty',
  ];
  expect([...kinds].sort()).toEqual(all);
});

test('every message is read as protobuf-es reads it, also where messages in it come twice', () => {
  fc.assert(
    fc.property(
      arbitraryCheck('often').filter((bytes) => bytes.length > 0),
      (bytes) => expectSame(ours.decode(bytes), merging.decode(bytes)),
    ),
    settings,
  );
});

test('every beginning of a message is read or refused as the loader does', () => {
  const cut = fc
    .tuple(arbitraryCheck('once'), fc.nat())
    .map(([bytes, at]) => bytes.subarray(0, at % (bytes.length + 1)));
  fc.assert(
    fc.property(cut, (bytes) => expectSame(ours.decode(bytes), loader.decode(bytes))),
    settings,
  );
});

test('a message with bytes changed is refused, or read as protobuf-es reads it and nothing else', () => {
  const seen = { request: 0, undecodable: 0 };
  fc.assert(
    fc.property(arbitrarilyChanged(arbitraryCheck('once')), (bytes) => {
      const read = ours.decode(bytes);
      seen[read.kind]++;
      if (read.kind !== 'request') return;
      expect(plain(read)).toEqual(plain(merging.decode(bytes)));
      expect(loader.decode(bytes).kind).toBe('request');
    }),
    { ...settings, numRuns: 2000 },
  );
  expect(Math.min(seen.request, seen.undecodable)).toBeGreaterThan(300);
});

test('any bytes are refused, or read as protobuf-es reads them and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      const read = ours.decode(bytes);
      if (read.kind === 'request') expect(plain(read)).toEqual(plain(merging.decode(bytes)));
    }),
    settings,
  );
});
