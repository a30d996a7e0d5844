import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFolderSource, type FolderSource } from '../../../src/files/folder-source.ts';
import type { SourceReading } from '../../../src/policy/spec.ts';
import { realTimers } from '../../support/decision-stand.ts';

let folder: string;
let source: FolderSource | undefined;
let readings: SourceReading[];
const log: string[] = [];
const logger = {
  debug: () => undefined,
  info: (_: object, message: string) => void log.push(message),
  warn: (_: object, message: string) => void log.push(message),
  error: (_: object, message: string) => void log.push(message),
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-files-'));
  readings = [];
  log.length = 0;
});
afterEach(() => {
  source?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(at = folder): Promise<void> {
  source = await createFolderSource({
    folder: at,
    clock: { monotonic: () => performance.now() },
    timers: realTimers,
    settings: { serviceNamespace: 'portcullis' },
    logger,
    onReading: (reading) => void readings.push(reading),
  });
}

const document = (name: string): string => `kind: Thing\nmetadata: {name: ${name}}\n`;

function names(reading: SourceReading | undefined): unknown[] {
  return (reading?.documents ?? []).map(
    ({ value }) => (value as { metadata?: { name?: unknown } } | null)?.metadata?.name,
  );
}

/** Waits for a reading with these names, bounded. */
async function until(expected: readonly string[]): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (JSON.stringify(names(readings.at(-1))) === JSON.stringify(expected)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(names(readings.at(-1))).toEqual(expected);
}

describe('a folder of documents', () => {
  test('is read with its sub-folders, several documents a file, other files passed over', async () => {
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'a.yaml'), `${document('a')}---\n${document('b')}`);
    writeFileSync(join(folder, 'sub', 'c.yml'), document('c'));
    writeFileSync(join(folder, 'd.json'), '{"kind": "Thing", "metadata": {"name": "d"}}');
    writeFileSync(join(folder, 'notes.txt'), document('no'));
    writeFileSync(join(folder, '.hidden.yaml'), document('no'));
    await start();
    expect(names(readings[0])).toEqual(['a', 'b', 'd', 'c']);
  });

  test('a List stands for its items, each with its place', async () => {
    writeFileSync(
      join(folder, 'l.yaml'),
      'apiVersion: v1\nkind: List\nitems:\n- kind: Thing\n  metadata: {name: a}\n- kind: Thing\n  metadata: {name: b}\n',
    );
    await start();
    expect(names(readings[0])).toEqual(['a', 'b']);
    expect(readings[0]?.documents[1]?.placeOf(['metadata', 'name'])).toEqual({
      source: join(folder, 'l.yaml'),
      line: 7,
      column: 14,
    });
  });

  test('an in-place write, a new file and a deletion are each seen', async () => {
    writeFileSync(join(folder, 'a.yaml'), document('a'));
    await start();
    writeFileSync(join(folder, 'a.yaml'), document('a2'));
    await until(['a2']);
    writeFileSync(join(folder, 'b.yaml'), document('b'));
    await until(['a2', 'b']);
    rmSync(join(folder, 'a.yaml'));
    await until(['b']);
  });

  test('a folder that is never quiet is read all the same', async () => {
    writeFileSync(join(folder, 'a.yaml'), document('a'));
    await start();
    const busy = setInterval(() => writeFileSync(join(folder, 'noise.tmp'), String(Math.random())), 5);
    try {
      writeFileSync(join(folder, 'a.yaml'), document('a2'));
      await until(['a2']);
    } finally {
      clearInterval(busy);
    }
  });

  test("an editor's rename over the file is seen", async () => {
    writeFileSync(join(folder, 'a.yaml'), document('a'));
    await start();
    writeFileSync(join(folder, '.a.yaml.swp'), document('a2'));
    renameSync(join(folder, '.a.yaml.swp'), join(folder, 'a.yaml'));
    await until(['a2']);
  });

  test("Kubernetes' swap of the data link is seen as one change", async () => {
    for (const [version, both] of [
      ['1', ['a1', 'b1']],
      ['2', ['a2', 'b2']],
    ] as const) {
      mkdirSync(join(folder, `..${version}`));
      writeFileSync(join(folder, `..${version}`, 'a.yaml'), document(both[0]));
      writeFileSync(join(folder, `..${version}`, 'b.yaml'), document(both[1]));
    }
    symlinkSync('..1', join(folder, '..data'));
    symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
    symlinkSync('..data/b.yaml', join(folder, 'b.yaml'));
    await start();
    expect(names(readings[0])).toEqual(['a1', 'b1']);
    symlinkSync('..2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    await until(['a2', 'b2']);
    expect(readings.map(names)).toEqual([
      ['a1', 'b1'],
      ['a2', 'b2'],
    ]);
  });

  test('documents of unchanged files are the same objects', async () => {
    writeFileSync(join(folder, 'a.yaml'), document('a'));
    writeFileSync(join(folder, 'b.yaml'), document('b'));
    await start();
    writeFileSync(join(folder, 'b.yaml'), document('b2'));
    await until(['a', 'b2']);
    expect(readings.at(-1)?.documents[0]).toBe(readings[0]?.documents[0]);
  });

  test('a file that is not YAML is a document with Problems, and the others are read', async () => {
    writeFileSync(join(folder, 'a.yaml'), 'a: [');
    writeFileSync(join(folder, 'b.yaml'), document('b'));
    await start();
    expect(readings[0]?.documents.map(({ problems }) => problems.map(({ code }) => code))).toEqual([['not-yaml'], []]);
  });

  test('a file that is not UTF-8 is unreadable, and what it held is not taken for deleted', async () => {
    writeFileSync(join(folder, 'a.yaml'), Buffer.from([0xff, 0xfe, 0x00]));
    writeFileSync(join(folder, 'b.yaml'), document('b'));
    await start();
    expect([...(readings[0]?.unreadable ?? [])]).toEqual([join(folder, 'a.yaml')]);
    expect(readings[0]?.problems.map(({ message }) => message)).toEqual(['the file is not UTF-8']);
    expect(names(readings[0])).toEqual(['b']);
  });

  test('a file that cannot be looked at is unreadable, one that is gone is not', async () => {
    symlinkSync('a.yaml', join(folder, 'a.yaml'));
    symlinkSync('nowhere', join(folder, 'gone.yaml'));
    writeFileSync(join(folder, 'b.yaml'), document('b'));
    await start();
    expect([...(readings[0]?.unreadable ?? [])]).toEqual([join(folder, 'a.yaml')]);
    expect(names(readings[0])).toEqual(['b']);
  });

  test('a folder that lies too deep is named, and what is not too deep is read', async () => {
    const deep = join(folder, ...'12345678'.split(''));
    mkdirSync(join(deep, 'more'), { recursive: true });
    writeFileSync(join(deep, 'a.yaml'), document('a'));
    writeFileSync(join(deep, 'more', 'b.yaml'), document('b'));
    await start();
    expect(names(readings[0])).toEqual(['a']);
    expect(readings[0]?.problems.map(({ severity, place, message }) => [severity, place.source, message])).toEqual([
      [
        'error',
        join(deep, 'more'),
        'the folder is not read: it is more than 8 levels below the folder of the policies',
      ],
    ]);
    rmSync(join(deep, 'more'), { recursive: true });
    await expect.poll(() => readings.at(-1)?.problems).toEqual([]);
  });

  test('a file that is emptied is unreadable for a second, and then it is empty', async () => {
    writeFileSync(join(folder, 'a.yaml'), document('a'));
    writeFileSync(join(folder, 'b.yaml'), '');
    await start();
    expect(readings[0]?.unreadable).toEqual(new Set());
    const from = performance.now();
    writeFileSync(join(folder, 'a.yaml'), '# later\n');
    await expect.poll(() => [...(readings.at(-1)?.unreadable ?? [])]).toEqual([join(folder, 'a.yaml')]);
    expect(readings.at(-1)?.problems.map(({ message }) => message)).toEqual([
      'the file is empty: what it held stays in force until it is surely meant',
    ]);
    await expect.poll(() => readings.at(-1)?.unreadable, { timeout: 5000 }).toEqual(new Set());
    expect(performance.now() - from).toBeGreaterThan(1000);
    expect(readings.at(-1)?.problems).toEqual([]);
    // The controls: one that is written again within the second, and one that is deleted.
    writeFileSync(join(folder, 'a.yaml'), document('a2'));
    await until(['a2']);
    rmSync(join(folder, 'a.yaml'));
    await until([]);
    expect(readings.at(-1)?.unreadable).toEqual(new Set());
  }, 15_000);

  test('a file that is written anew after it was emptied never was empty', async () => {
    writeFileSync(join(folder, 'a.yaml'), document('a'));
    await start();
    writeFileSync(join(folder, 'a.yaml'), '');
    await expect.poll(() => readings.length).toBe(2);
    writeFileSync(join(folder, 'a.yaml'), document('a2'));
    await until(['a2']);
    expect(readings.map(({ unreadable }) => unreadable.size)).toEqual([0, 1, 0]);
  });

  test('a file that is larger than 4 MiB is named, and what it held is not taken for deleted', async () => {
    writeFileSync(join(folder, 'a.yaml'), `# ${'x'.repeat(4 * 1024 * 1024)}\n${document('a')}`);
    writeFileSync(join(folder, 'b.yaml'), document('b'));
    await start();
    expect([...(readings[0]?.unreadable ?? [])]).toEqual([join(folder, 'a.yaml')]);
    expect(readings[0]?.problems.map(({ message }) => message)).toEqual([
      'the file is larger than 4096 KiB: one file for each policy is read faster, too',
    ]);
    expect(names(readings[0])).toEqual(['b']);
  });

  test('a folder that is absent, and a file in its place, are one clear error each', async () => {
    await expect(start(join(folder, 'none'))).rejects.toThrow(
      `the folder ${join(folder, 'none')} cannot be read: does it exist?`,
    );
    writeFileSync(join(folder, 'f'), '');
    await expect(start(join(folder, 'f'))).rejects.toThrow('is not a folder');
  });

  test('a folder that vanishes keeps what was read, and is read again when it is back', async () => {
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    writeFileSync(join(inner, 'a.yaml'), document('a'));
    await start(inner);
    renameSync(inner, join(folder, 'moved'));
    await expect
      .poll(() => log, { timeout: 6000 })
      .toContain('the policies could not be read; what was read before stays in force');
    expect(readings).toHaveLength(1);
    mkdirSync(inner);
    writeFileSync(join(inner, 'a.yaml'), document('a2'));
    await expect.poll(() => names(readings.at(-1)), { timeout: 6000 }).toEqual(['a2']);
    expect(log.slice(log.indexOf('the policies can be read again'))).toEqual(['the policies can be read again']);
  }, 15_000);
});
