import fc from 'fast-check';
import { connect } from 'node:http2';
import { describe, expect, onTestFinished, test } from 'vitest';
import { encodeHeaderBlock } from '../../../src/grpc/hpack/encode-header-block.ts';
import { createHttp2Server } from '../../../src/grpc/http2/server.ts';
import { listenOn } from '../../../src/std/listen.ts';
import { realTimers } from '../../support/decision-stand.ts';
import { createBlockReader } from './support/read-block.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const common = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
];
const requests = [
  common,
  [...common, ['cache-control', 'no-cache']],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
];
const firstDate = 'Mon, 21 Oct 2013 20:13:21 GMT';
const secondDate = 'Mon, 21 Oct 2013 20:13:22 GMT';
const location = 'https://www.example.com';
const cookie = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';

describe('the examples of RFC 7541 appendix C are read:', () => {
  test.each([
    [
      'C.2.1, a literal with indexing',
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      ['custom-key', 'custom-header'],
    ],
    ['C.2.2, a literal without indexing', '040c 2f73 616d 706c 652f 7061 7468', [':path', '/sample/path']],
    ['C.2.3, a literal never indexed', '1008 7061 7373 776f 7264 0673 6563 7265 74', ['password', 'secret']],
    ['C.2.4, an indexed field', '82', [':method', 'GET']],
  ])('%s', (_title, block, field) => {
    expect(createBlockReader()(hex(block))).toEqual([field]);
  });

  test.each([
    [
      'C.3, requests',
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4, requests with Huffman coding',
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
  ])('%s', (_title, blocks) => {
    const read = createBlockReader();
    expect(blocks.map((block) => read(hex(block)))).toEqual(requests);
  });

  test('C.6, answers with Huffman coding, whose first fields leave a table of 256 bytes', () => {
    const read = createBlockReader();
    // 3fe101: a table of 256 bytes.
    const blocks = [
      '3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
      '4883 640e ffc1 c0bf',
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    ];
    const rest = (date: string): [string, string][] => [
      ['cache-control', 'private'],
      ['date', date],
      ['location', location],
    ];
    expect(blocks.map((block) => read(hex(block)))).toEqual([
      [[':status', '302'], ...rest(firstDate)],
      [[':status', '307'], ...rest(firstDate)],
      [[':status', '200'], ...rest(secondDate), ['content-encoding', 'gzip'], ['set-cookie', cookie]],
    ]);
    // The oldest were thrown out: of what came in the first block nothing is left.
    expect(() => read(Buffer.of(0xc1))).toThrow();
    expect(read(Buffer.of(0xc0))).toEqual([['date', secondDate]]);
  });
});

describe('what we encode', () => {
  const text = fc.string({
    unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCodePoint(code)),
    maxLength: 400,
  });

  test('is read as what it was', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text)), (fields) => {
        expect(createBlockReader()(encodeHeaderBlock(fields))).toEqual(fields);
      }),
      { numRuns: 200 },
    );
  });

  test('says in one byte what the static table has, and puts nothing into the table of the peer', () => {
    const block = encodeHeaderBlock([
      [':status', '200'],
      ['content-type', 'application/grpc'],
    ]);
    expect(block).toEqual(Buffer.concat([hex('88 0f10 10'), Buffer.from('application/grpc')]));
    const read = createBlockReader();
    read(block);
    expect(() => read(Buffer.of(0xbe))).toThrow();
  });
});

test('a table keeps what fits, the newest first, and a field larger than it empties it', () => {
  const read = createBlockReader();
  const field = (value: string): Buffer =>
    Buffer.concat([Buffer.of(0x40, 1, 0x78), encodeHeaderBlock([['y', value]]).subarray(3)]);
  // Each counts for 33 bytes and its value: 4096 bytes have room for four of 1000.
  for (const letter of 'abcdef') read(field(letter.repeat(960)));
  expect(read(Buffer.of(0xbe, 0xbf, 0xc0, 0xc1)).map(([, value]) => value[0])).toEqual(['f', 'e', 'd', 'c']);
  expect(() => createBlockReader()(Buffer.of(0xc2))).toThrow();
  read(field('z'.repeat(4100)));
  expect(() => read(Buffer.of(0xbe))).toThrow();
});

describe('what node:http2 sends', () => {
  test('is read as it was said, however its encoder put it', async () => {
    const paths: string[] = [];
    const server = createHttp2Server<string, undefined>({
      createApplication: () => ({
        readHead: ({ path, contentType, grpcTimeout }) => `${path} ${contentType} ${grpcTimeout}`,
        open(stream, head) {
          paths.push(head);
          stream.answerHead(encodeHeaderBlock([[':status', '200']]));
        },
        data: () => undefined,
        cancelled: () => undefined,
        tick: () => undefined,
      }),
      now: () => performance.now(),
      timers: realTimers,
      onError: (why) => paths.push(`error: ${why}`),
    });
    const listener = await listenOn({ kind: 'tcp', host: '127.0.0.1', port: 0 }, 0, server.take);
    const port = listener.address.kind === 'tcp' ? listener.address.port : 0;
    const session = connect(`http://127.0.0.1:${port}`);
    onTestFinished(async () => {
      session.destroy();
      server.close();
      await listener.close();
    });
    const value = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCodePoint(code)),
      minLength: 1,
    });
    const sent = fc.sample(fc.tuple(value, fc.oneof(fc.constant('same'), value), fc.constantFrom('1S', '20m', '5u')), {
      numRuns: 300,
      seed: 7,
    });
    for (const [path, type, timeout] of sent) {
      const stream = session.request({ ':path': `/${path}`, 'content-type': type, 'grpc-timeout': timeout });
      stream.end();
      await new Promise((resolve) => void stream.once('close', resolve).resume());
    }
    expect(paths).toEqual(sent.map(([path, type, timeout]) => `/${path} ${type} ${timeout}`));
  });
});
