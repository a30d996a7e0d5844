import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readSources } from '../../../src/runtime/read-sources.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-sources-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const document = 'kind: Thing\nmetadata: {name: a}\n';
const problemsOf = async (): Promise<string[]> =>
  (await readSources([folder], () => Promise.resolve(''))).problems.map(({ place, message }) => {
    return `${place.source.slice(folder.length)}: ${message}`;
  });

test('a folder that lies too deep is a Problem of tools too, one level less is none', async () => {
  const deep = join(folder, ...'12345678'.split(''));
  mkdirSync(deep, { recursive: true });
  writeFileSync(join(deep, 'a.yaml'), document);
  expect(await problemsOf()).toEqual([]);
  mkdirSync(join(deep, '9'));
  expect(await problemsOf()).toEqual([
    '/1/2/3/4/5/6/7/8/9: the folder is not read: it is more than 8 levels below the folder of the policies',
  ]);
});

test('a file that is too large or no UTF-8 is a Problem of tools too', async () => {
  writeFileSync(join(folder, 'a.yaml'), document);
  expect(await problemsOf()).toEqual([]);
  writeFileSync(join(folder, 'b.yaml'), `# ${'x'.repeat(4 * 1024 * 1024)}`);
  expect(await problemsOf()).toEqual([
    '/b.yaml: it cannot be read: the file is larger than 4096 KiB: one file for each policy is read faster, too',
  ]);
  writeFileSync(join(folder, 'b.yaml'), Buffer.from([0xff]));
  expect(await problemsOf()).toEqual(['/b.yaml: it cannot be read: the file is not UTF-8']);
});
