import fc from 'fast-check';
import { createHpackModel, type Field, type FieldForm, type HpackModel } from '../hpack-model.ts';
import { callFields, prefixed, uint32 } from '../raw-peer.ts';
import { piece, type Piece } from './frames.ts';

const form: fc.Arbitrary<FieldForm> = fc.record({
  form: fc.constantFrom('indexed', 'indexed', 'incremental', 'plain', 'never'),
  isNameIndexed: fc.boolean(),
  isHuffman: fc.boolean(),
});
const padding = fc.option(fc.nat(20), { nil: undefined, freq: 4 });
const extraField = fc.constantFrom<Field>(
  ['x-id', 'a'],
  ['x-id', 'b'],
  ['x-long', 'v'.repeat(900)],
  ['x-long', 'w'.repeat(900)],
  ['grpc-timeout', '10S'],
  ['grpc-encoding', 'identity'],
  ['x-b', '\u00ff\u0080'],
  ['te', 'trailers'],
);

/** A header block, however it is put. */
const head = fc.record({
  extra: fc.array(extraField, { maxLength: 3 }),
  forms: fc.array(form, { minLength: 1, maxLength: 10 }),
  /** Sizes of the table that it begins with. */
  sizes: fc.oneof(
    { weight: 8, arbitrary: fc.constant<number[]>([]) },
    fc.array(fc.integer({ min: 0, max: 4096 }), { maxLength: 2 }),
  ),
  cuts: fc.oneof({ weight: 3, arbitrary: fc.constant<number[]>([]) }, fc.array(fc.nat(), { maxLength: 3 })),
  padding,
  isPrioritised: fc.boolean(),
});
type Head = ArbitraryValue<typeof head>;
type ArbitraryValue<A> = A extends fc.Arbitrary<infer Value> ? Value : never;

const oneCall = fc.record({
  kind: fc.constant('call' as const),
  path: fc.constantFrom('/test.Test/Echo', '/test.Test/Echo', '/test.Test/Soon', '/test.Test/Watch', '/test.Test/None'),
  message: fc.oneof(
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: 30 }) },
    fc.constantFrom(20_000, 70_000).map((length) => new Uint8Array(length).fill(0x61)),
  ),
  head,
  trailers: fc.option(head, { nil: undefined, freq: 3 }),
  cuts: fc.array(fc.nat(), { maxLength: 3 }),
  hasLength: fc.boolean(),
  paddings: fc.array(padding, { minLength: 1, maxLength: 3 }),
  isEmptyLast: fc.boolean(),
});
type OneCall = ArbitraryValue<typeof oneCall>;

/** What a client says beside its calls. `which`: one of the streams that there are. */
const aside = fc.oneof(
  fc.record({
    kind: fc.constant('settings' as const),
    entries: fc.array(
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.tuple(
            fc.constant(4),
            fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 60_000, max: 70_000 })),
          ),
        },
        fc.tuple(fc.constant(1), fc.integer({ min: 0, max: 5000 })),
        fc.tuple(fc.constant(5), fc.integer({ min: 16_384, max: 40_000 })),
        fc.tuple(fc.constantFrom(2, 3, 6, 77), fc.integer({ min: 0, max: 1 })),
      ),
      { maxLength: 3 },
    ),
  }),
  fc.record({
    kind: fc.constant('window' as const),
    which: fc.nat(),
    increment: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 100_000 })),
  }),
  fc.record({ kind: fc.constant('ping' as const), payload: fc.uint8Array({ minLength: 8, maxLength: 8 }) }),
  fc.record({ kind: fc.constant('priority' as const), which: fc.nat(), on: fc.nat(9) }),
  fc.record({ kind: fc.constant('reset' as const), which: fc.nat(), code: fc.nat(13) }),
  fc.record({
    kind: fc.constant('unknown' as const),
    type: fc.integer({ min: 16, max: 255 }),
    which: fc.nat(),
    payload: fc.uint8Array({ maxLength: 20 }),
  }),
);
type Aside = ArbitraryValue<typeof aside>;

/** What a client that keeps to the protocol may say: several calls side by side, and this and that between them. */
export const conversation: fc.Arbitrary<readonly Piece[]> = fc
  .record({
    calls: fc.array(oneCall, { minLength: 1, maxLength: 5 }),
    asides: fc.array(aside, { maxLength: 5 }),
    order: fc.array(fc.nat(), { minLength: 1, maxLength: 40 }),
  })
  .map(({ calls, asides, order }) => {
    const client = createClient();
    const waiting = [...calls.map((call) => client.parts(call)), ...asides.map((one) => [() => client.aside(one)])];
    const pieces: Piece[] = [];
    for (let turn = 0; waiting.length > 0; turn++) {
      const at = (order[turn % order.length] ?? 0) % waiting.length;
      pieces.push(...(waiting[at]?.shift()?.() ?? []));
      if (waiting[at]?.length === 0) waiting.splice(at, 1);
    }
    return pieces;
  });

function createClient() {
  const hpack = createHpackModel();
  const streams: number[] = [];
  const pick = (which: number): number => streams[which % Math.max(1, streams.length)] ?? 0;
  return {
    /** The steps of a call, in their order; other things may come between them. */
    parts(call: OneCall): (() => readonly Piece[])[] {
      let id = 0;
      const body = bodyOf(call);
      return [
        () => {
          id = streams.length * 2 + 1;
          streams.push(id);
          const length = call.hasLength ? String(prefixed(call.message).length) : undefined;
          const fields = callFields({ ':path': call.path, ':authority': 'test', 'content-length': length });
          return headPieces(hpack, id, call.head, fields, false);
        },
        ...body.map((frame) => () => [{ ...frame, stream: id }]),
        ...(call.trailers === undefined ? [] : [trailersOf(call.trailers)]),
      ];
      function trailersOf(trailers: Head) {
        return () =>
          headPieces(
            hpack,
            id,
            { ...trailers, extra: trailers.extra.filter(([name]) => name.startsWith('x-')) },
            [['x-end', '1']],
            true,
          );
      }
    },
    aside: (one: Aside): readonly Piece[] => [asidePiece(one, pick)],
  };
}

function asidePiece(one: Aside, pick: (which: number) => number): Piece {
  switch (one.kind) {
    case 'settings': {
      const payload = Buffer.alloc(one.entries.length * 6);
      one.entries.forEach(([id, value], index) => {
        payload.writeUInt16BE(id, index * 6);
        payload.writeUInt32BE(value, index * 6 + 2);
      });
      return piece(4, 0, 0, payload);
    }
    case 'window':
      return piece(8, 0, one.which % 2 === 0 ? 0 : pick(one.which >> 1), uint32(one.increment));
    case 'ping':
      return piece(6, 0, 0, one.payload);
    case 'priority':
      return piece(2, 0, pick(one.which) + 2, Buffer.concat([uint32(one.on * 2), Buffer.of(1)]));
    case 'reset': {
      const id = pick(one.which);
      return id === 0 ? piece(6, 0, 0, Buffer.alloc(8)) : piece(3, 0, id, uint32(one.code));
    }
    case 'unknown':
      return piece(one.type, 0, pick(one.which), one.payload);
  }
}

function bodyOf({ message, cuts, paddings, isEmptyLast, trailers }: OneCall): readonly Piece[] {
  const bytes = prefixed(message);
  const at = new Set([...cuts.map((cut) => cut % bytes.length), bytes.length]);
  for (let long = 16_000; long < bytes.length; long += 16_000) at.add(long);
  const ends = [...at].filter((end) => end > 0).sort((a, b) => a - b);
  const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
  if (isEmptyLast) chunks.push(Buffer.alloc(0));
  return chunks.map((chunk, index) => {
    const isLast = index === chunks.length - 1 && trailers === undefined;
    return padded(piece(0, isLast ? 1 : 0, 0, chunk), paddings[index % paddings.length]);
  });
}

function padded(frame: Piece, padding: number | undefined): Piece {
  if (padding === undefined) return frame;
  const payload = Buffer.concat([Buffer.of(padding), frame.payload, Buffer.alloc(padding)]);
  return { ...frame, flags: frame.flags | 8, payload };
}

function headPieces(
  hpack: HpackModel,
  id: number,
  head: Head,
  fields: readonly Field[],
  isLast: boolean,
): readonly Piece[] {
  const all = [...fields, ...head.extra];
  const forms = all.map((_field, index) => head.forms[index % head.forms.length]);
  const block = Buffer.concat([
    ...head.sizes.map((size) => hpack.resize(size)),
    ...all.map((field, index) =>
      hpack.write(field, forms[index] ?? { form: 'plain', isNameIndexed: true, isHuffman: false }),
    ),
  ]);
  const ends = [...head.cuts.map((cut) => cut % (block.length + 1)), block.length].sort((a, b) => a - b);
  const [first = Buffer.alloc(0), ...more] = ends.map((end, index) => block.subarray(ends[index - 1] ?? 0, end));
  const priority = head.isPrioritised ? Buffer.of(0, 0, 0, 0, 7) : Buffer.alloc(0);
  const flags = (isLast ? 1 : 0) | (more.length === 0 ? 4 : 0) | (head.isPrioritised ? 0x20 : 0);
  return [
    padded(piece(1, flags, id, Buffer.concat([priority, first])), head.padding),
    ...more.map((part, index) => piece(9, index === more.length - 1 ? 4 : 0, id, part)),
  ];
}
