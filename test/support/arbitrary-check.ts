import fc from 'fast-check';
import { field, group, tag, varint } from './wire-message.ts';

/** Pieces of a message, in the order of the wire. */
type Pieces = fc.Arbitrary<readonly Buffer[]>;

/** A text as bytes: names that mean something, any UTF-8, bytes that are none, lengths around the widths of a length. */
const text: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .constantFrom(':path', 'x-envoy-auth-partial-body', 'Authorization', '__proto__', '', '\uFFFD', 'K')
    .map((known) => Buffer.from(known)),
  fc.stringMatching(/^[ -~]{0,30}$/).map((ascii) => Buffer.from(ascii)),
  fc.string({ unit: 'binary', maxLength: 12 }).map((any) => Buffer.from(any)),
  fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(127, 128, 300, 16_384).map((length) => Buffer.alloc(length, 'x')),
);

/** A field with its length, both at times in more bytes than they need. */
function padded(number: number, contents: Uint8Array, tagBytes: number, lengthBytes: number): Buffer {
  return Buffer.concat([varint(number * 8 + 2, tagBytes), varint(contents.length, lengthBytes), contents]);
}

const width = fc.oneof(
  { weight: 9, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
);

function fieldOf(number: number, contents: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Buffer> {
  return fc.tuple(contents, width, width).map(([bytes, ...widths]) => padded(number, bytes, ...widths));
}

function messageOf(number: number, pieces: Pieces): fc.Arbitrary<Buffer> {
  return fieldOf(
    number,
    pieces.map((all) => Buffer.concat(all)),
  );
}

/** A field that no message of a check has, of any type. */
const unknown: fc.Arbitrary<Buffer> = fc.integer({ min: 200, max: 536_870_911 }).chain((number) =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => Buffer.concat([tag(number, 0), varint(value)])),
    fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.concat([tag(number, 1), bytes])),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => field(number, bytes)),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => group(number, field(1, bytes), group(2, group(3)))),
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.concat([tag(number, 5), bytes])),
  ),
);

/** How often a message comes that should be there once: `once` as serializers write it. */
type Times = 'once' | 'often';

function timesOf(times: Times, piece: fc.Arbitrary<Buffer>): Pieces {
  const [least, most] = times === 'once' ? [1, 1] : [1, 3];
  const there = fc.array(piece, { minLength: least, maxLength: most });
  return fc.oneof({ weight: 6, arbitrary: there }, { weight: 1, arbitrary: fc.constant([]) });
}

/** All of these in any order, with unknown fields between. */
function mixed(...parts: readonly Pieces[]): Pieces {
  const unknowns = fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(unknown, { maxLength: 2 }) },
  );
  return fc.tuple(...parts, unknowns).chain((lists) => {
    const all = lists.flat();
    return fc.shuffledSubarray(all, { minLength: all.length });
  });
}

const texts = (number: number): Pieces => fc.array(fieldOf(number, text), { maxLength: 2 });
const entry = mixed(texts(1), texts(2));
const headerValue = mixed(texts(1), texts(2), texts(3));

function http(times: Times): Pieces {
  const joined = fc.array(messageOf(3, entry), { maxLength: 6 });
  const separate = timesOf(times, messageOf(13, mixed(fc.array(messageOf(1, headerValue), { maxLength: 6 }))));
  const either = fc.oneof(
    joined,
    separate,
    fc.tuple(joined, separate).map((both) => both.flat()),
  );
  const others = [1, 2, 4, 5, 6, 7, 10, 11, 12].map(texts);
  return mixed(...others, either, fc.constantFrom([], [Buffer.concat([tag(9, 0), varint(2n ** 64n - 1n)])]));
}

function peer(times: Times): Pieces {
  const port = fc.constantFrom([], [Buffer.concat([tag(3, 0), varint(443)])]);
  const socketAddress = mixed(texts(2), port);
  // The loader keeps what another member of a oneof should have ended.
  const pipes = fc.array(messageOf(2, mixed(texts(1))), { maxLength: times === 'once' ? 0 : 1 });
  const address = mixed(timesOf(times, messageOf(1, socketAddress)), pipes);
  return mixed(timesOf(times, messageOf(1, address)), texts(2), texts(4), texts(5));
}

/** A text of those that a route is described with, or any. */
const word: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom(
        'envoy-gateway',
        'resources',
        'kind',
        'namespace',
        'name',
        'sectionName',
        'annotations',
        'HTTPRoute',
      )
      .map((known) => Buffer.from(known)),
  },
  { weight: 1, arbitrary: text },
);

/** An entry of a map whose values are messages. */
function entryOf(key: fc.Arbitrary<Buffer>, times: Times, value: Pieces): Pieces {
  return mixed(fc.array(fieldOf(1, key), { minLength: 1, maxLength: 1 }), timesOf(times, messageOf(2, value)));
}

/** A google.protobuf.Value that holds others `depth` deep. */
function value(times: Times, depth: number): Pieces {
  const leaf = mixed(fc.array(fieldOf(3, word), { maxLength: 2 }));
  if (depth === 0) return leaf;
  const inner = value(times, depth - 1);
  const list = timesOf(times, messageOf(6, mixed(fc.array(messageOf(1, inner), { maxLength: 2 }))));
  const struct = timesOf(times, messageOf(5, fieldsOf(times, inner)));
  const number = fc.constant([Buffer.concat([tag(2, 1), Buffer.alloc(8)]), Buffer.concat([tag(4, 0), varint(1)])]);
  return fc.oneof(leaf, mixed(list), mixed(struct), mixed(list, struct, number));
}

function fieldsOf(times: Times, inner: Pieces): Pieces {
  return mixed(fc.array(messageOf(1, entryOf(word, times, inner)), { maxLength: 4 }));
}

/** What Envoy Gateway says of a route: mostly one resource with all its parts, in any order. */
function gatewayMetadata(times: Times): Pieces {
  const named = (key: string, inner: Pieces): fc.Arbitrary<Buffer> =>
    messageOf(1, entryOf(fc.constant(Buffer.from(key)), times, inner));
  const boolean = fc.constant(Buffer.concat([tag(4, 0), varint(1)]));
  const others = fc.array(boolean, { maxLength: times === 'once' ? 0 : 1 });
  const textValue = mixed(fc.array(fieldOf(3, word), { minLength: 1, maxLength: 1 }), others);
  const parts = ['kind', 'namespace', 'name', 'sectionName'].map((key) =>
    fc.array(named(key, textValue), { minLength: 1, maxLength: 1 }),
  );
  const annotations = named('annotations', mixed(timesOf(times, messageOf(5, fieldsOf(times, textValue)))));
  const resource = messageOf(5, mixed(...parts, fc.array(annotations, { maxLength: 1 })));
  const some = fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.nat(2) });
  const values = some.chain((count) =>
    fc.array(messageOf(1, mixed(fc.array(resource, { minLength: 1, maxLength: 1 }))), {
      minLength: count,
      maxLength: count,
    }),
  );
  const list = mixed(fc.array(messageOf(6, mixed(values)), { minLength: 1, maxLength: 1 }));
  return mixed(fc.array(named('resources', list), { minLength: 1, maxLength: 1 }), fieldsOf(times, value(times, 1)));
}

function metadata(times: Times): Pieces {
  const any = entryOf(word, times, fieldsOf(times, value(times, 3)));
  const gateway = entryOf(fc.constant(Buffer.from('envoy-gateway')), times, gatewayMetadata(times));
  const entry = fc.oneof({ weight: 1, arbitrary: any }, { weight: 2, arbitrary: gateway });
  return mixed(fc.array(messageOf(1, entry), { maxLength: 2 }), texts(2));
}

/** The bytes of a CheckRequest, well-formed, with what any writer of it might write. */
export function arbitraryCheck(times: Times): fc.Arbitrary<Buffer> {
  const request = mixed(timesOf(times, messageOf(2, http(times))), texts(1));
  const attributes = mixed(
    timesOf(times, messageOf(1, peer(times))),
    timesOf(times, messageOf(2, peer(times))),
    timesOf(times, messageOf(4, request)),
    fc.array(messageOf(10, entry), { maxLength: 3 }),
    texts(11),
    timesOf(times, messageOf(13, metadata(times))),
  );
  return mixed(timesOf(times, messageOf(1, attributes))).map((pieces) => Buffer.concat(pieces));
}

/** The bytes with some of them changed, taken out or put in. */
export function arbitrarilyChanged(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const change = fc.record({
    // Most of a message is its beginning, where the tags and lengths are of all that is around.
    at: fc.oneof(fc.nat(60), fc.nat(5000)),
    kind: fc.constantFrom('set', 'set', 'remove', 'insert'),
    value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 0x0a, 0x12, 0x1a, 0x22, 0x6a, 0x7f, 0x80, 0xff)),
  });
  return fc.tuple(bytes, fc.array(change, { minLength: 1, maxLength: 4 })).map(([whole, changes]) => {
    let changed = whole;
    for (const { at, kind, value } of changes) {
      const place = changed.length === 0 ? 0 : at % changed.length;
      const put = kind === 'remove' ? [] : [value];
      const behind = kind === 'insert' ? place : place + 1;
      changed = Buffer.concat([changed.subarray(0, place), Buffer.from(put), changed.subarray(behind)]);
    }
    return changed;
  });
}
