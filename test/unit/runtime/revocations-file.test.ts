import { mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { RevocationListHandle } from '../../../src/core/revocation.ts';
import { followRevocationsFile, type RevocationsFile } from '../../../src/runtime/revocations-file.ts';
import { systemClock, systemTimers } from '../../../src/runtime/system-ports.ts';
import { runAtOnce } from '../../../src/std/steps.ts';
import { eventually } from '../../support/eventually.ts';
import { manualTime } from '../identity/identity-fixtures.ts';
import { createWorld } from '../identity/revocation/revocation-world.ts';
import { createKeptLog } from './runtime-fixtures.ts';

const line = (sub: string): string => `{"issuer": "https://idp.example", "sub": "${sub}"}\n`;
let file: RevocationsFile | undefined;
afterEach(() => file?.close());

function follow(path: string): { readonly told: string[]; confirmed: number } {
  const seen = { told: [] as string[], confirmed: 0 };
  const list: RevocationListHandle = {
    take: async (reading) => {
      const { entries, problem } = runAtOnce(reading);
      seen.told.push([...entries.map(({ value }) => value), problem ?? 'ok'].join(' '));
    },
    confirm: () => void seen.confirmed++,
    fail: (why) => void seen.told.push(`failed ${why.replace(path, 'FILE')}`),
  };
  file = followRevocationsFile(path, list, { clock: systemClock, timers: systemTimers, logger: createKeptLog() });
  return seen;
}

test('a change is read within a second, written in place or renamed into place', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'portcullis-list-')), 'revoked');
  writeFileSync(path, line('alice'));
  const seen = follow(path);
  await file?.firstLook;
  expect(seen.told).toEqual(['alice ok']);
  writeFileSync(path, line('alice') + line('bob'));
  await eventually(() => expect(seen.told.at(-1)).toBe('alice bob ok'), 1000);
  writeFileSync(`${path}.new`, line('carol'));
  renameSync(`${path}.new`, path);
  await eventually(() => expect(seen.told.at(-1)).toBe('carol ok'), 1000);
  await eventually(() => expect(seen.confirmed).toBeGreaterThan(0), 2000);
});

test('a swap of links, as Kubernetes makes, is a change', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-list-'));
  for (const [name, sub] of [
    ['one', 'alice'],
    ['two', 'bob'],
  ] as const) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'revoked'), line(sub));
  }
  symlinkSync('one', join(folder, 'data'));
  symlinkSync('data/revoked', join(folder, 'revoked'));
  const seen = follow(join(folder, 'revoked'));
  await file?.firstLook;
  symlinkSync('two', join(folder, 'data.new'));
  renameSync(join(folder, 'data.new'), join(folder, 'data'));
  await eventually(() => expect(seen.told).toEqual(['alice ok', 'bob ok']), 1000);
});

test('a file that is not there is told once, and read when it comes', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'portcullis-list-')), 'revoked');
  const seen = follow(path);
  await file?.firstLook;
  expect(seen.told).toEqual(['failed FILE cannot be read (ENOENT)']);
  writeFileSync(path, line('alice'));
  await eventually(() => expect(seen.told.at(-1)).toBe('alice ok'), 1500);
  rmSync(path);
  await eventually(() => expect(seen.told.at(-1)).toBe('failed FILE cannot be read (ENOENT)'), 1500);
});

test('an empty file that is the first to be read has to be so for a second, but for one that was long before', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'portcullis-list-')), 'revoked');
  writeFileSync(path, '');
  const seen = follow(path);
  await settled(200);
  expect(seen.told).toEqual([]);
  writeFileSync(path, line('alice'));
  await file?.firstLook;
  expect(seen.told).toEqual(['alice ok']);
  file?.close();
  writeFileSync(path, '');
  const again = follow(path);
  await eventually(() => expect(again.told).toEqual(['ok']), 3000);
  file?.close();
  const old = new Date(Date.now() - 60_000);
  utimesSync(path, old, old);
  const later = follow(path);
  await file?.firstLook;
  expect(later.told).toEqual(['ok']);
});

test('a list that is written in place is not empty for a moment, and one that has become shorter is so within two seconds', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'portcullis-list-')), 'revoked');
  writeFileSync(path, line('alice') + line('bob'));
  const { revocations, verdict } = createWorld(
    {},
    { time: { ...manualTime(), clock: systemClock, timers: systemTimers } },
  );
  const alice = (): string => verdict({ issuer: 'https://idp.example' });
  file = followRevocationsFile(path, revocations.openList('file'), {
    clock: systemClock,
    timers: systemTimers,
    logger: createKeptLog(),
  });
  await file.firstLook;
  expect(alice()).toBe('token_revoked');
  writeFileSync(path, '');
  const verdicts = new Set<string>();
  for (let i = 0; i < 10; i++) {
    await settled(50);
    verdicts.add(alice());
  }
  writeFileSync(path, '# made by the nightly job\n');
  for (let i = 0; i < 10; i++) {
    await settled(50);
    verdicts.add(alice());
  }
  expect([...verdicts]).toEqual(['token_revoked']);
  writeFileSync(path, line('bob'));
  await eventually(() => expect(alice()).toBe('allow'), 4000);
});

function settled(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
