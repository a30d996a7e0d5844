import fc from 'fast-check';
import { piece, type Piece } from './frames.ts';

type Mutation = ReturnType<typeof mutate> extends fc.Arbitrary<infer Value> ? Value : never;

const anyId = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(0, 1, 2, 3, 5, 7, 9, 11) },
  fc.constantFrom(0x7fff_ffff, 0x8000_0001, 0xffff_fffe),
);
/** Numbers at the ends of what they may be: lengths of windows, of tables, of lists. */
const edge = fc.constantFrom(
  0,
  1,
  0x3fff,
  0x4000,
  0x4001,
  0xffff,
  0x1_0000,
  0xff_ffff,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_ffff,
);

function mutate() {
  const at = fc.nat();
  return fc.oneof(
    fc.record({ kind: fc.constant('drop' as const), at }),
    fc.record({ kind: fc.constant('again' as const), at, to: fc.nat() }),
    fc.record({ kind: fc.constant('move' as const), at, to: fc.nat() }),
    fc.record({ kind: fc.constant('type' as const), at, type: fc.integer({ min: 0, max: 10 }) }),
    fc.record({ kind: fc.constant('flag' as const), at, bit: fc.nat(7) }),
    fc.record({ kind: fc.constant('stream' as const), at, stream: anyId }),
    fc.record({
      kind: fc.constant('bytes' as const),
      at,
      from: fc.nat(),
      taken: fc.nat(3),
      put: fc.uint8Array({ maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('number' as const), at, from: fc.nat(), value: edge }),
    fc.record({
      kind: fc.constant('length' as const),
      at,
      by: fc.oneof(fc.integer({ min: -12, max: 12 }), fc.constant(20_000)),
    }),
    fc.record({
      kind: fc.constant('insert' as const),
      at,
      frame: fc.record({
        type: fc.nat(10),
        flags: fc.nat(255),
        stream: anyId,
        payload: fc.uint8Array({ maxLength: 12 }),
      }),
    }),
    fc.record({ kind: fc.constant('settings' as const), at, id: fc.nat(9), value: edge }),
    fc.record({ kind: fc.constant('open' as const), at, stream: anyId, increment: edge }),
  );
}

/** So many changes, one after the other; none leaves a conversation as it was. */
export function changed(
  conversation: fc.Arbitrary<readonly Piece[]>,
  maxChanges: number,
): fc.Arbitrary<readonly Piece[]> {
  return fc
    .tuple(conversation, fc.array(mutate(), { maxLength: maxChanges }))
    .map(([pieces, mutations]) => mutations.reduce(apply, pieces));
}

function apply(pieces: readonly Piece[], mutation: Mutation): readonly Piece[] {
  const at = mutation.at % Math.max(1, pieces.length);
  const frame = pieces[at];
  if (frame === undefined) return pieces;
  const replaced = (by: Partial<Piece>): readonly Piece[] => pieces.with(at, { ...frame, ...by });
  switch (mutation.kind) {
    case 'drop':
      return pieces.toSpliced(at, 1);
    case 'again':
      return pieces.toSpliced(mutation.to % (pieces.length + 1), 0, frame);
    case 'move':
      return pieces.toSpliced(at, 1).toSpliced(mutation.to % pieces.length, 0, frame);
    case 'type':
      return replaced({ type: mutation.type });
    case 'flag':
      return replaced({ flags: frame.flags ^ (1 << mutation.bit) });
    case 'stream':
      return replaced({ stream: mutation.stream });
    case 'bytes': {
      const from = mutation.from % (frame.payload.length + 1);
      const { payload } = frame;
      return replaced({
        payload: Buffer.concat([payload.subarray(0, from), mutation.put, payload.subarray(from + mutation.taken)]),
      });
    }
    case 'number': {
      if (frame.payload.length < 4) return pieces;
      const payload = Buffer.from(frame.payload);
      payload.writeUInt32BE(mutation.value, mutation.from % (payload.length - 3));
      return replaced({ payload });
    }
    case 'length':
      return replaced({ length: Math.max(0, frame.payload.length + mutation.by) });
    case 'insert': {
      const { type, flags, stream, payload } = mutation.frame;
      return pieces.toSpliced(at, 0, piece(type, flags, stream, payload));
    }
    case 'settings': {
      const payload = Buffer.alloc(6);
      payload.writeUInt16BE(mutation.id);
      payload.writeUInt32BE(mutation.value, 2);
      return pieces.toSpliced(at, 0, piece(4, 0, 0, payload));
    }
    case 'open': {
      const payload = Buffer.alloc(4);
      payload.writeUInt32BE(mutation.increment);
      return pieces.toSpliced(at, 0, piece(8, 0, mutation.stream, payload));
    }
  }
}
