import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDocumentThread, type DocumentThread } from '../../../src/files/document-thread.ts';
import { compileReadFile } from '../../../src/files/read-file.ts';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { parseDocument } from '../../../src/policy/parse-document.ts';
import { parseOnce } from '../../../src/policy/parsed-elsewhere.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realTimers } from '../../support/decision-stand.ts';

const settings = { serviceNamespace: 'portcullis' };
let thread: DocumentThread | undefined;
afterEach(() => thread?.close());

const rule = (name: string, more = ''): string =>
  `  - {name: ${name}, matches: [{path: {type: PathPrefix, value: /${name}}}], access: Public${more}}\n`;
const policy = (rules: string, more = ''): string =>
  `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: a, namespace: shop}\nspec:\n  hosts: [a.example, b.example]${more}\n  rules:\n${rules}`;

describe('a text that is read in a thread', () => {
  test.each([
    ['that is good', policy(rule('one') + rule('two'))],
    ['that is refused', policy(rule('one', ', acess: Public') + rule('two'), '\n  onInvalid: Deny')],
    [
      'of several documents',
      `${policy(rule('one'))}---\njust: text\n---\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: m}\ndata: {a: b}\n`,
    ],
    ['that is not well-formed', `${policy(rule('one'))}: : [`],
    ['that is empty', ''],
  ])('%s means what it means elsewhere, with the same places', async (_, text) => {
    thread = createDocumentThread(realTimers, settings);
    const read = await thread.read('x.yaml', text);
    const here = readDocuments('x.yaml', text);
    expect(read.map((document) => parseOnce(document, settings))).toEqual(
      here.map((document) => parseDocument(document, settings)),
    );
    expect(read.map(({ source, problems }) => [source, problems])).toEqual(
      here.map(({ source, problems }) => [source, problems]),
    );
    for (const path of [
      [],
      ['metadata', 'name'],
      ['spec', 'hosts', 1],
      ['spec', 'rules', 1, 'name'],
      ['spec', 'nowhere'],
    ])
      expect(read.map((document) => document.placeOf(path))).toEqual(here.map((document) => document.placeOf(path)));
  });

  test.each([
    ['that is good', policy(rule('one') + rule('two'))],
    ['that is refused', policy(rule('one', ', acess: Public'), '\n  onInvalid: Deny')],
  ])('or a document %s, out of its JSON, means what it means elsewhere', async (_, text) => {
    thread = createDocumentThread(realTimers, settings);
    const [document] = readDocuments('x.yaml', text);
    if (document === undefined) throw new Error('no document');
    const { value, source } = document;
    const placeOf = () => ({ source, line: undefined, column: undefined });
    const problem = { code: 'too-large', severity: 'error', message: 'm', field: '', place: placeOf() } as const;
    for (const problems of [[], [problem]])
      expect(await thread.parse({ source, problems, text: JSON.stringify(value) })).toEqual(
        parseDocument({ value, source, problems, placeOf }, settings),
      );
  });

  test('keeps of what is refused whose it is, and that it says Deny', async () => {
    thread = createDocumentThread(realTimers, settings);
    const [document] = await thread.read('x.yaml', policy(rule('one', ', acess: Public'), '\n  onInvalid: Deny'));
    expect(document?.value).toEqual({
      apiVersion: 'portcullis.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { name: 'a', namespace: 'shop' },
      spec: { onInvalid: 'Deny' },
    });
  });

  test('takes no more than the thread may have, and the next one is read again', async () => {
    thread = createDocumentThread({ after: (_, action) => realTimers.after(0, action) }, settings);
    await expect(thread.read('x.yaml', policy(rule('one')).repeat(1))).rejects.toThrow(
      'the file cannot be read: it takes too long',
    );
    thread = createDocumentThread(realTimers, settings);
    expect(await thread.read('x.yaml', policy(rule('one')))).toHaveLength(1);
  });
});

// A thread begins in a tenth of a second, and in seconds where the machine is busy.
describe('what becomes of one text', { timeout: 30_000 }, () => {
  const workers: Worker[] = [];
  const note = (worker: Worker): void => void workers.push(worker);
  beforeEach(() => {
    workers.length = 0;
    process.on('worker', note);
  });
  afterEach(() => process.off('worker', note));

  const value = {
    apiVersion: 'portcullis.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name: 'a', namespace: 'shop' },
    spec: {
      hosts: ['a.example'],
      rules: [{ name: 'r', access: 'Denied', matches: [{ path: { type: 'PathPrefix', value: '/' } }] }],
    },
  };
  const document = { source: 'AccessPolicy shop/a', problems: [], text: JSON.stringify(value) };
  const kindOf = async (own: DocumentThread): Promise<string> => (await own.parse(document)).kind;
  const rules = Array.from({ length: 64 }, (_, index) => ({
    name: `r${index}`,
    access: 'Denied',
    matches: Array.from({ length: 16 }, (__, at) => ({ path: { type: 'PathPrefix', value: `/${index}/${at}` } })),
  }));
  const long = JSON.stringify({ ...value, spec: { ...value.spec, rules } });
  /** Takes some tens of milliseconds, so that the thread is not ready when something happens to it. */
  const kindOfLong = async (own: DocumentThread): Promise<string> =>
    (await own.parse({ ...document, text: long })).kind;
  const end = async (index: number): Promise<void> => void (await workers[index]?.terminate());
  const ended = 'the document cannot be read: its thread has ended';

  test('is nothing to the next, whose thread is another where the first has ended meanwhile', async () => {
    thread = createDocumentThread(realTimers, settings);
    expect([await kindOf(thread), await kindOf(thread), workers.length]).toEqual(['accepted', 'accepted', 1]);
    await end(0);
    expect([await kindOf(thread), workers.length]).toEqual(['accepted', 2]);
    await end(1);
    expect([(await thread.read('x.yaml', policy(rule('one')))).length, workers.length]).toEqual([1, 3]);
  });

  test('on which a thread ends that has read others is found in a fresh one, alone', async () => {
    thread = createDocumentThread(realTimers, settings);
    await kindOf(thread);
    const parsing = kindOfLong(thread);
    await end(0);
    expect([await parsing, workers.length]).toEqual(['accepted', 2]);
    const reading = thread.read('x.yaml', policy(rule('one')));
    await end(1);
    expect([(await reading).length, workers.length]).toEqual([1, 3]);
  });

  test('on which a fresh thread ends is told, and not tried again', async () => {
    thread = createDocumentThread(realTimers, settings);
    const endOnceThere = async (index: number): Promise<void> => {
      await expect.poll(() => workers.length, { interval: 1, timeout: 10_000 }).toBe(index + 1);
      await end(index);
    };
    await Promise.all([expect(kindOf(thread)).rejects.toThrow(ended), endOnceThere(0)]);
    expect([workers.length, await kindOf(thread), workers.length]).toEqual([1, 'accepted', 2]);
    const again = expect(kindOfLong(thread)).rejects.toThrow(ended);
    await end(1);
    await Promise.all([again, endOnceThere(2)]);
    expect(workers.length).toBe(3);
  });

  test('is not looked for any more by a thread that is closed', async () => {
    thread = createDocumentThread(realTimers, settings);
    await kindOf(thread);
    const parsing = kindOfLong(thread);
    thread.close();
    await expect(parsing).rejects.toThrow(ended);
    expect(workers.length).toBe(1);
  });

  test('that takes too long is told after twenty seconds of a document and a minute of a file, each tried once more alone', async () => {
    const delays: number[] = [];
    let isLate = false;
    const timers = {
      after: (delayMs: number, action: () => void) => {
        if (delayMs > 10_000) delays.push(delayMs);
        return realTimers.after(isLate ? 0 : delayMs, action);
      },
    };
    thread = createDocumentThread(timers, settings);
    await kindOf(thread);
    isLate = true;
    await expect(kindOfLong(thread)).rejects.toThrow('the document cannot be read: it takes too long');
    expect([workers.length, delays.splice(0)]).toEqual([2, [20_000, 20_000, 20_000]]);
    await expect(thread.read('x.yaml', policy(rule('one')))).rejects.toThrow(
      'the file cannot be read: it takes too long',
    );
    expect([workers.length, delays]).toEqual([3, [60_000]]);
  });

  test('leaves no more in a thread than is said: one that holds more is not used again', async () => {
    thread = createDocumentThread(realTimers, settings, 1024);
    expect([await kindOf(thread), await kindOf(thread), workers.length]).toEqual(['accepted', 'accepted', 2]);
  });
});

describe('a file', () => {
  test('of more than 16384 characters is read in the thread, a smaller one is not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-file-'));
    try {
      const asked: string[] = [];
      const fake: Pick<DocumentThread, 'read'> = {
        read: async (source, text) => {
          asked.push(`${source.slice(folder.length)} ${text.length}`);
          return readDocuments(source, text);
        },
      };
      const read = compileReadFile(fake, settings);
      for (const [name, size] of [
        ['small', 16_384],
        ['large', 16_385],
      ] as const) {
        const path = join(folder, name);
        writeFileSync(path, `kind: ${'x'.repeat(size - 6)}`);
        expect(await read({ path, stamp: '', size })).toMatchObject({ failure: undefined, documents: [{}] });
      }
      expect(asked).toEqual(['/large 16385']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a text of mistakes, or of more than anybody reads', () => {
  test.each([
    ['brackets', '}'.repeat(200_000)],
    ['quotes', '"\n'.repeat(100_000)],
    ['tabs', 'a:\n\t- b\n'.repeat(20_000)],
    ['maps in maps', ': : [\n'.repeat(20_000)],
    ['a mistake and then documents', `a: [\n---\n${'a: 1\n---\n'.repeat(1000)}`],
  ])('of %s is given up, and every document that is left is one with errors', (_, text) => {
    const documents = readDocuments('x.yaml', text);
    expect(documents.length).toBeLessThanOrEqual(1001);
    expect(documents.flatMap(({ problems }) => problems).length).toBeGreaterThan(0);
  });

  test('thousands of documents are one more Problem', () => {
    const documents = readDocuments('x.yaml', 'a: 1\n---\n'.repeat(5000));
    expect(documents).toHaveLength(2002);
    expect(documents.at(-1)?.problems.map(({ message }) => message)).toEqual([
      'not well-formed YAML: more than 2000 documents in one text',
    ]);
    expect(readDocuments('x.yaml', 'a: 1\n---\n'.repeat(1000)).flatMap(({ problems }) => problems)).toEqual([]);
  });

  test('a document of more than 2 MiB is refused by its name', () => {
    const large = policy(rule('one', `, response: {headers: [{name: x, value: "${'x'.repeat(2 * 1024 * 1024)}"}]}`));
    const [document] = readDocuments('x.yaml', large);
    expect(document?.problems.map(({ code, message }) => [code, message])).toEqual([
      ['too-large', 'the document is larger than 2048 KiB'],
    ]);
    expect(document && parseDocument(document, settings)).toMatchObject({
      kind: 'refused',
      key: 'AccessPolicy shop/a',
      document: { policy: { hosts: ['a.example', 'b.example'], rules: [{ name: 'one' }] } },
    });
  });
});
