import { describe, expect, it } from 'vitest';
import { boundsOfCut, documentBounds } from '../../../src/kubernetes/object-bounds.ts';
import { readWatchEvents } from '../../../src/kubernetes/watch-lines.ts';

async function* chunksOf(...texts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === 'string' ? Buffer.from(text) : text;
}

const reading = { bounds: documentBounds, pause: async () => undefined };

async function batchesOf(chunks: AsyncIterable<Uint8Array>): Promise<readonly (readonly string[])[]> {
  const batches: string[][] = [];
  for await (const events of readWatchEvents(chunks, reading))
    batches.push(events.map(({ type, object }) => `${type} ${JSON.stringify(object)}`));
  return batches;
}

const added = (name: string): string => `{"type":"ADDED","object":{"name":"${name}"}}\n`;

describe('the lines of a watch', () => {
  it('are the events of one chunk together', async () => {
    await expect(batchesOf(chunksOf(added('a') + added('b'), added('c')))).resolves.toEqual([
      ['ADDED {"name":"a"}', 'ADDED {"name":"b"}'],
      ['ADDED {"name":"c"}'],
    ]);
  });

  it('may be cut anywhere, within a character too', async () => {
    const bytes = Buffer.from(added('ü€'));
    const cut = Array.from(bytes, (byte) => Uint8Array.of(byte));
    await expect(batchesOf(chunksOf(...cut))).resolves.toEqual([['ADDED {"name":"ü€"}']]);
  });

  it('may be empty, and the last is nothing without its end', async () => {
    await expect(batchesOf(chunksOf('\n\n', added('a'), '{"type":"ADD'))).resolves.toEqual([['ADDED {"name":"a"}']]);
  });

  it.each([
    ['is not JSON', '<html>\n', 'a line of the watch is not JSON'],
    ['has no object', '{"type":"ADDED"}\n', 'a line of the watch is not an event'],
    ['has a type that we do not know', '{"type":"GROWN","object":{}}\n', 'a line of the watch is not an event'],
  ])('ends the reading where one %s', async (_title, text, message) => {
    await expect(batchesOf(chunksOf(text))).rejects.toThrow(message);
  });

  it('of an object that is too large say whose it is, and nothing of it is parsed', async () => {
    const metadata = { name: 'x', namespace: 'mallory', uid: 'u', resourceVersion: '7', generation: 3 };
    const spec = { junk: Array.from({ length: 100_000 }, () => ({})), hosts: ['m.example'], rules: [] };
    const line = (object: object): string => `${JSON.stringify({ type: 'MODIFIED', object })}\n`;
    const read: unknown[] = [];
    for await (const events of readWatchEvents(
      chunksOf(line({ metadata: { ...metadata, managedFields: [{}] }, spec }), line({ metadata, spec: { rules: [] } })),
      reading,
    ))
      read.push(...events.map(({ type, object }) => [type, object, boundsOfCut(object)]));
    expect(read).toEqual([
      ['MODIFIED', { metadata, spec: { hosts: ['m.example'] } }, documentBounds],
      ['MODIFIED', { metadata, spec: { rules: [] } }, undefined],
    ]);
  });

  it('ends the reading where one never ends', async () => {
    const endless = Array.from({ length: 5 }, () => Buffer.alloc(8 * 1024 * 1024, 'x'));
    await expect(batchesOf(chunksOf(...endless))).rejects.toThrow('larger than 4 MiB');
  });
});
