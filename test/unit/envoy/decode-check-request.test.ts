import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maxDecodedHeaders } from '../../../src/envoy/check-parts.ts';
import { createCheckRequestDecoder, type DecodedCheck } from '../../../src/envoy/decode-check-request.ts';
import { codecOf } from '../../../src/envoy/protos.ts';
import type { RawHeader, RawRequest } from '../../../src/core/request.ts';
import { heapGrowth } from '../../support/heap-growth.ts';
import { field, group, tag, varint } from '../../support/wire-message.ts';
import { listed } from '../../support/raw-headers.ts';
import { checkRequest, type HttpPart } from './envoy-fixtures.ts';

const decoder = createCheckRequestDecoder();
const encode = (message: object): Uint8Array => codecOf('envoy.service.auth.v3.CheckRequest').encode(message);

function decoded(bytes: Uint8Array): RawRequest {
  const check = decoder.decode(bytes);
  if (check.kind !== 'request') throw new Error(check.why);
  return check.request;
}

/** The headers of a request as `name: value` and, where it is not text, a mark. */
function shown(http: HttpPart): readonly string[] {
  return [...decoded(checkRequest(http)).headers].map((h) => `${h.name}: ${h.value}${h.isText ? '' : ' (not text)'}`);
}

const pieces = {
  http: (...parts: readonly Uint8Array[]): Buffer => field(4, [field(2, parts)]),
  /** The address as often as it is given. */
  source: (...addresses: readonly string[]): Buffer =>
    field(1, [
      field(1, [
        field(
          1,
          addresses.map((address) => field(2, address)),
        ),
      ]),
    ]),
  extension: (key: string, value: string): Buffer => field(10, [field(1, key), field(2, value)]),
};

describe('an HTTP check', () => {
  test('is read field by field, without pseudo headers and without what tells of a partial body', () => {
    const bytes = checkRequest(
      {
        path: '/orders?x=1',
        headers: {
          ':path': '/evil',
          ':authority': 'evil',
          Accept: '*/*',
          'x-envoy-auth-partial-body': 'false',
          a: 'b,c',
        },
      },
      {
        source: { address: { socketAddress: { address: '10.1.2.3', portValue: 4444 } }, principal: 'spiffe://td/a' },
        contextExtensions: { 'portcullis.dev/policy': 'shop/orders' },
        metadataContext: { filterMetadata: { x: { fields: { y: { stringValue: 'z' } } } } },
      },
    );
    expect(listed(decoded(bytes))).toEqual({
      kind: 'http',
      method: 'GET',
      target: '/orders?x=1',
      host: 'shop.example',
      scheme: 'https',
      protocol: 'HTTP/2',
      headers: [
        { name: 'accept', value: '*/*', isText: true },
        { name: 'a', value: 'b,c', isText: true },
      ],
      duplicates: 'joined',
      peerAddress: '10.1.2.3',
      peerPrincipal: 'spiffe://td/a',
      peerCertificate: '',
      contextExtensions: new Map([['portcullis.dev/policy', 'shop/orders']]),
      route: undefined,
      underscored: [],
    });
  });

  test('with header_map keeps duplicates apart and in order, from raw_value or value', () => {
    const request = decoded(
      checkRequest({
        headerMap: {
          headers: [
            { key: ':method', value: 'POST' },
            { key: 'Cookie', rawValue: Buffer.from('a=1') },
            { key: 'x', value: 'plain' },
            { key: 'cookie', rawValue: Buffer.from('s=ä') },
          ],
        },
      }),
    );
    expect(request.duplicates).toBe('separate');
    expect([...request.headers]).toEqual([
      { name: 'cookie', value: 'a=1', isText: true },
      { name: 'x', value: 'plain', isText: true },
      { name: 'cookie', value: 's=ä', isText: true },
    ]);
  });

  test('says of bytes that are not UTF-8 that they are no text, also behind a real replacement character', () => {
    const headerMap = {
      headers: [
        { key: 'latin1', rawValue: Buffer.from([0x61, 0xe9]) },
        { key: 'replacement', rawValue: Buffer.from('a\uFFFD') },
        { key: 'empty', rawValue: Buffer.alloc(0) },
      ],
    };
    expect(shown({ headerMap })).toEqual(['latin1: a\uFFFD (not text)', 'replacement: a\uFFFD', 'empty: ']);
  });

  test('says of a joined value whose bytes are not UTF-8 that it is no text', () => {
    const bytes = Buffer.from(checkRequest({ headers: { user: 'aXb' } }));
    bytes[bytes.indexOf('aXb') + 1] = 0xff;
    expect([...decoded(bytes).headers]).toEqual([{ name: 'user', value: 'a\uFFFDb', isText: false }]);
  });

  test('may have headers named like members of Object', () => {
    const headers = Object.fromEntries([
      ['__proto__', '1'],
      ['constructor', '2'],
      ['tostring', '3'],
    ]);
    expect(shown({ headers })).toEqual(['__proto__: 1', 'constructor: 2', 'tostring: 3']);
    const contextExtensions = Object.fromEntries([['__proto__', 'x']]);
    expect(decoded(checkRequest({}, { contextExtensions })).contextExtensions).toEqual(new Map([['__proto__', 'x']]));
    expect('x' in {}).toBe(false);
  });

  test('with 1,000 headers is whole, and with more shows that there were too many', () => {
    const named = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}`, `${i}`]));
    expect(decoded(checkRequest({ headers: named(1000) })).headers).toHaveLength(1000);
    expect(decoded(checkRequest({ headers: named(5000) })).headers).toHaveLength(maxDecodedHeaders + 1);
  });

  test('with a body of 4 MB is read without it', () => {
    const bytes = checkRequest({ headers: { a: 'b' }, body: 'x'.repeat(4_000_000) });
    expect(bytes.length).toBeGreaterThan(4_000_000);
    expect([...decoded(bytes).headers]).toEqual([{ name: 'a', value: 'b', isText: true }]);
  });
});

describe('the peer address', () => {
  test.each([
    ['a socket', { socketAddress: { address: '2001:db8::1', portValue: 1 } }, '2001:db8::1'],
    ['a pipe', { pipe: { path: '/run/x' } }, undefined],
    ['an internal listener', { envoyInternalAddress: { serverListenerName: 'x' } }, undefined],
    ['an empty socket address', { socketAddress: { address: '' } }, undefined],
    ['nothing', undefined, undefined],
  ])('of %s', (_, address, expected) => {
    expect(decoded(checkRequest({}, { source: { address, service: 'evil' } })).peerAddress).toBe(expected);
  });
});

test('of the forms of an address the last one counts, wherever it comes', () => {
  const socket = field(1, [field(2, '10.0.0.1')]);
  const [pipe, internal] = [field(2, [field(1, '/run/x')]), field(3, [field(1, 'x')])];
  const peerOf = (...forms: Buffer[]): string | undefined =>
    decoded(field(1, [pieces.http(), field(1, [field(1, forms)])])).peerAddress;
  expect([socket, pipe, internal].map((form) => peerOf(socket, form))).toEqual(['10.0.0.1', undefined, undefined]);
  expect([peerOf(pipe, socket), peerOf(internal, socket)]).toEqual(['10.0.0.1', '10.0.0.1']);
  expect(peerOf(socket, pipe, field(1, [field(3, [])]))).toBe(undefined);
});

describe('a check without an HTTP part is another kind', () => {
  test.each([
    ['no http', { attributes: { request: { time: { seconds: 1 } } } }],
    ['no request', { attributes: { source: { principal: 'x' } } }],
    ['no attributes but something', { attributes: {} }],
  ])('%s', (_, message) => {
    expect(listed(decoded(encode(message)))).toMatchObject({
      kind: 'other',
      method: '',
      target: '',
      host: '',
      headers: [],
    });
  });
});

describe('whatever the wire allows is read', () => {
  const { source, http, extension } = pieces;

  test('fields in any order, with fields between them that nobody knows', () => {
    const unknown = [
      field(99, 'x'),
      tag(98, 0),
      varint(2n ** 63n),
      tag(97, 1),
      Buffer.alloc(8),
      group(96, field(1, 'y')),
    ];
    const bytes = field(1, [
      extension('a', '1'),
      ...unknown,
      http(
        ...unknown,
        field(10, 'HTTP/2'),
        headerOf('b', '2'),
        field(5, 'h.example'),
        headerOf('c', '3'),
        field(2, 'PUT'),
      ),
      ...unknown,
      source('10.0.0.1'),
    ]);
    expect(listed(decoded(Buffer.concat([...unknown, bytes, ...unknown])))).toEqual({
      kind: 'http',
      method: 'PUT',
      target: '',
      host: 'h.example',
      scheme: '',
      protocol: 'HTTP/2',
      headers: [text('b', '2'), text('c', '3')],
      duplicates: 'joined',
      peerAddress: '10.0.0.1',
      peerPrincipal: '',
      peerCertificate: '',
      contextExtensions: new Map([['a', '1']]),
      route: undefined,
      underscored: [],
    });
  });

  test('a text that comes twice has its last value', () => {
    const request = decoded(field(1, [http(field(4, '/first'), field(4, '/last')), source('10.0.0.1', '10.0.0.2')]));
    expect([request.target, request.peerAddress]).toEqual(['/last', '10.0.0.2']);
  });

  test('a message that comes twice is one', () => {
    const bytes = Buffer.concat([
      field(1, [http(field(4, '/first'), field(2, 'GET'), headerOf('a', '1')), source('10.0.0.1')]),
      field(1, [http(field(4, '/last'), headerOf('b', '2'))]),
      field(1, [http(), field(1, '')]),
    ]);
    const { method, target, headers, peerAddress } = decoded(bytes);
    const whole = {
      method: 'GET',
      target: '/last',
      headers: [text('a', '1'), text('b', '2')],
      peerAddress: '10.0.0.1',
    };
    expect({ method, target, headers: [...headers], peerAddress }).toEqual(whole);
  });

  test('an entry without its name, without its value, or with either twice', () => {
    const entry = (...parts: readonly Uint8Array[]): Buffer => field(3, parts);
    const bytes = field(1, [
      http(
        entry(),
        entry(field(1, 'a')),
        entry(field(2, 'b')),
        entry(field(2, '1'), field(1, 'x'), field(2, '2'), field(1, 'y')),
      ),
    ]);
    expect([...decoded(bytes).headers]).toEqual([text('', ''), text('a', ''), text('', 'b'), text('y', '2')]);
  });

  test('an entry of the map that comes twice is there twice, so that it can be refused, and of extensions the last counts', () => {
    const bytes = field(1, [http(headerOf('a', '1'), headerOf('A', '2')), extension('p', '1'), extension('p', '2')]);
    expect([...decoded(bytes).headers]).toEqual([text('a', '1'), text('a', '2')]);
    expect(decoded(bytes).contextExtensions).toEqual(new Map([['p', '2']]));
  });

  test('a raw value counts where it is not empty, whatever else the field has; in the map there is none', () => {
    const of = (...parts: readonly Uint8Array[]): Buffer => field(1, parts);
    const raw = [
      of(field(1, 'a'), field(3, 'raw'), field(2, Buffer.from([0xff]))),
      of(field(1, 'b'), field(3, ''), field(2, 'plain')),
      of(field(1, 'c'), field(3, Buffer.from([0xff])), field(3, 'last')),
      of(field(1, 'd')),
    ];
    const separate = [text('a', 'raw'), text('b', 'plain'), text('c', 'last'), text('d', '')];
    expect(listed(decoded(field(1, [http(field(13, raw))])))).toMatchObject({
      duplicates: 'separate',
      headers: separate,
    });
    const joined = decoded(field(1, [http(field(3, [field(1, 'a'), field(2, 'value'), field(3, 'raw')]))]));
    expect([...joined.headers]).toEqual([text('a', 'value')]);
  });

  test('a header_map without an entry is no second form', () => {
    const request = decoded(field(1, [http(field(13, ''), headerOf('a', '1'))]));
    expect(listed(request)).toMatchObject({ duplicates: 'joined', headers: [text('a', '1')] });
  });

  test('lengths with superfluous bytes', () => {
    const inner = http(tag(4, 2), varint(2, 5), Buffer.from('/a'));
    expect(decoded(Buffer.concat([varint(0x0a, 3), varint(inner.length, 4), inner])).target).toBe('/a');
  });
});

function headerOf(key: string, value: string): Buffer {
  return field(3, [field(1, key), field(2, value)]);
}

function text(name: string, value: string): RawHeader {
  return { name, value, isText: true };
}

describe('what cannot be decoded is said to be so', () => {
  const whole = checkRequest({ headers: { authorization: 'Bearer secret' } });

  test.each([
    ['nothing', new Uint8Array()],
    ['garbage', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a message that is cut off', whole.subarray(0, -1)],
    ['groups nested without end', Buffer.alloc(1_000_000, 0x0b)],
    ['a length beyond the message around it', field(1, [pieces.http(tag(4, 2), varint(100), Buffer.from('/a'))])],
    ['a path that is a number', field(1, [pieces.http(tag(4, 0), varint(1))])],
    ['attributes that are a number', Buffer.concat([tag(1, 0), varint(1)])],
    [
      'a header of more than 64 KB that is cut off',
      field(1, [pieces.http(tag(3, 2), varint(70_001), Buffer.alloc(70_000))]),
    ],
    ['an extension that is cut off', field(1, [field(10, [tag(1, 2), varint(3), Buffer.from('ab')])])],
    ['an address that is cut off', field(1, [field(1, [field(1, [field(1, [tag(2, 2), varint(9)])])])])],
    ['both header forms', checkRequest({ headers: { a: 'b' }, headerMap: { headers: [{ key: 'a', value: 'c' }] } })],
  ])('%s', (_, bytes) => {
    expect(decoder.decode(bytes)).toEqual({ kind: 'undecodable', why: expect.any(String) });
  });

  test('and every beginning of a message is either that or has nothing that was not in the message', () => {
    for (let length = 0; length < whole.length; length++) {
      expect(decoder.decode(whole.subarray(0, length)).kind, `${length} bytes`).toBe('undecodable');
    }
  });

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(['request', 'undecodable']).toContain(decoder.decode(bytes).kind);
      }),
      { numRuns: 2000, seed: 7 },
    );
  });

  test('a message with bytes changed never throws', () => {
    const change = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(change, (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        expect(['request', 'undecodable']).toContain(decoder.decode(bytes).kind);
      }),
      { numRuns: 2000, seed: 7 },
    );
  });
});

test('any headers come out of either form as they went in', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/).filter((n) => n !== 'x-envoy-auth-partial-body');
  const value = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((v) => v.isWellFormed() && !v.includes('\uFFFD'));
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([n]) => n, maxLength: 12 }), (pairs) => {
      const lines = pairs.map(([n, v]) => `${n}: ${v}`);
      const headers = pairs.map(([key, v]) => ({ key, rawValue: Buffer.from(v) }));
      expect(shown({ headerMap: { headers } })).toEqual(lines);
      expect([...shown({ headers: Object.fromEntries(pairs) })].sort()).toEqual([...lines].sort());
    }),
    { numRuns: 300, seed: 7 },
  );
});

describe('the route that the proxy chose', () => {
  const text = (stringValue: string): object => ({ stringValue });
  const struct = (fields: object): object => ({ structValue: { fields } });
  const orders = { kind: text('HTTPRoute'), namespace: text('shop'), name: text('orders') };
  const metadata = (...values: readonly object[]): object => ({
    filterMetadata: { 'envoy-gateway': { fields: { resources: { listValue: { values } } } } },
  });
  const routeOf = (more: object): RawRequest['route'] => decoded(checkRequest({}, more)).route;
  const whole = { kind: 'HTTPRoute', namespace: 'shop', name: 'orders', section: '', annotations: new Map() };

  test('is read of the metadata of the route, with its rule and annotations where there are some', () => {
    expect(routeOf({ routeMetadataContext: metadata(struct(orders)) })).toEqual(whole);
    const more = {
      ...orders,
      sectionName: text('admin'),
      annotations: struct({ tier: text('gold'), weight: { numberValue: 1 } }),
    };
    expect(routeOf({ routeMetadataContext: metadata(struct(more)) })).toEqual({
      ...whole,
      section: 'admin',
      annotations: new Map([
        ['tier', 'gold'],
        ['weight', ''],
      ]),
    });
  });

  test('is never read of the metadata that a filter can write', () => {
    expect(routeOf({ metadataContext: metadata(struct(orders)) })).toBeUndefined();
  });

  test.each([
    ['no list', { filterMetadata: { 'envoy-gateway': { fields: { resources: struct(orders) } } } }],
    ['an empty list', metadata()],
    ['two resources', metadata(struct(orders), struct(orders))],
    ['a text', metadata(text('HTTPRoute'))],
    ['no kind', metadata(struct({ namespace: text('shop'), name: text('orders') }))],
    ['no namespace', metadata(struct({ kind: text('HTTPRoute'), name: text('orders') }))],
    ['no name', metadata(struct({ kind: text('HTTPRoute'), namespace: text('shop') }))],
    ['an empty name', metadata(struct({ ...orders, name: text('') }))],
    ['a name that is a number', metadata(struct({ ...orders, name: { numberValue: 1 } }))],
    [
      'another namespace',
      { filterMetadata: { other: { fields: { resources: { listValue: { values: [struct(orders)] } } } } } },
    ],
  ])('is none where the metadata holds %s', (_, routeMetadataContext) => {
    expect(routeOf({ routeMetadataContext })).toBeUndefined();
  });

  describe('of a value that has several kinds has the last one, as protobuf says:', () => {
    const pair = (key: string, ...value: Buffer[]): Buffer => field(1, [field(1, key), field(2, value)]);
    const resource = (...name: Buffer[]): Buffer =>
      field(6, [
        field(1, [
          field(5, [pair('kind', field(3, 'HTTPRoute')), pair('namespace', field(3, 'shop')), pair('name', ...name)]),
        ]),
      ]);
    const orders = field(3, 'orders');
    const nameOf = (...values: Buffer[]): string | undefined => {
      const metadata = field(1, [field(1, 'envoy-gateway'), field(2, [pair('resources', ...values)])]);
      return decoded(field(1, [pieces.http(), field(13, [metadata])])).route?.name;
    };
    const [nothing, number, boolean] = [
      Buffer.concat([tag(1, 0), varint(0)]),
      Buffer.concat([tag(2, 1), Buffer.alloc(8)]),
      Buffer.concat([tag(4, 0), varint(1)]),
    ];

    test.each<[string, Buffer[], string | undefined]>([
      ['a list alone', [resource(orders)], 'orders'],
      ['a list behind a text', [field(3, 'x'), resource(orders)], 'orders'],
      ['a text behind a list', [resource(orders), field(3, 'x')], undefined],
      ['a number behind a list', [resource(orders), number], undefined],
      ['a boolean behind a list', [resource(orders), boolean], undefined],
      ['null behind a list', [resource(orders), nothing], undefined],
      ['a list behind null behind a list', [resource(orders), nothing, resource(orders)], 'orders'],
      ['two lists, which are one', [resource(orders), resource(orders)], undefined],
      ['a name that is a struct at last', [resource(orders, field(5, []))], undefined],
      ['a name that is a text at last', [resource(field(5, []), orders)], 'orders'],
      ['a field that nobody knows behind a list', [resource(orders), Buffer.concat([tag(7, 0), varint(1)])], 'orders'],
    ])('%s', (_title, values, expected) => {
      expect(nameOf(...values)).toBe(expected);
    });
  });

  test('is found where keys come behind their values', () => {
    const pair = (key: string, value: Buffer): Buffer => field(1, [field(2, value), field(1, 'x'), field(1, key)]);
    const fields = ['kind', 'namespace', 'name'].map((key) => pair(key, field(3, key)));
    const resources = pair('resources', field(6, [field(1, [field(5, fields)])]));
    const bytes = field(1, [pieces.http(), field(13, [pair('envoy-gateway', resources)])]);
    expect(decoded(bytes).route).toMatchObject({ kind: 'kind', namespace: 'namespace', name: 'name' });
  });

  test('makes nothing of what does not name it, and has no more than 10,000 annotations', () => {
    const annotated = (count: number): DecodedCheck['kind'] => {
      const annotations = Object.fromEntries(Array.from({ length: count }, (_annotation, i) => [`a${i}`, text('')]));
      const routeMetadataContext = metadata(struct({ ...orders, annotations: struct(annotations) }));
      return decoder.decode(checkRequest({}, { routeMetadataContext })).kind;
    };
    expect([annotated(10_000), annotated(10_001)]).toEqual(['request', 'undecodable']);
    const value = field(1, field(3, 'a'));
    const list = field(6, Buffer.alloc(value.length * 500_000, value));
    const many = field(1, [field(1, 'envoy-gateway'), field(2, [field(1, [field(1, 'resources'), field(2, list)])])]);
    const bytes = field(1, [pieces.http(), field(13, many)]);
    const read: RawRequest[] = [];
    expect(heapGrowth(1, () => read.push(decoded(bytes)))).toBeLessThan(1_000_000);
    expect(read.map(({ route }) => route)).toEqual(read.map(() => undefined));
  });

  test('is refused with the message where values are nested deeper than any route is', () => {
    const nest = (depth: number): Buffer => (depth === 0 ? field(3, 'x') : field(6, [field(1, nest(depth - 1))]));
    const message = (depth: number): Buffer =>
      field(1, [
        pieces.http(),
        field(13, [field(1, [field(1, 'n'), field(2, [field(1, [field(1, 'k'), field(2, nest(depth))])])])]),
      ]);
    expect(decoder.decode(message(29)).kind).toBe('request');
    expect(decoder.decode(message(30)).kind).toBe('undecodable');
  });
});

test('a request whose message is let go of has no headers any more, whoever asks, and keeps nothing of it', () => {
  const headers = { authorization: 'Bearer x', x_underscored: 'y', 'X-Odd': 'z' };
  const check = decoder.decode(checkRequest({ headers, body: 'b'.repeat(1000) }));
  if (check.kind !== 'request' || check.message === undefined) throw new Error('no request');
  const found = check.request.headers;
  const place = found.find('authorization', 0);
  expect([place >= 0, found.valueAt(place), found.length]).toEqual([true, 'Bearer x', 3]);
  // The path and the host are texts already, and stay.
  const { target, host } = check.request;
  const made = 2 * (target.length + host.length);
  expect(check.message.textBytes).toBe(made + 'authorizationBearer xx_underscoredyX-Oddz'.length);
  check.message.release();
  expect([found.find('authorization', 0), found.find('x-odd', 0), found.length]).toEqual([-1, -1, 0]);
  expect([found.valueAt(place), found.isTextAt(place), [...found], found.underscored]).toEqual(['', true, [], []]);
  expect(check.message.textBytes).toBe(made);
  check.message.release();
});
