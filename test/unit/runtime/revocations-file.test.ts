import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { RevocationListHandle } from '../../../src/core/revocation.ts';
import { followRevocationsFile, type RevocationsFile } from '../../../src/runtime/revocations-file.ts';
import { systemClock, systemTimers } from '../../../src/runtime/system-ports.ts';
import { runAtOnce } from '../../../src/std/steps.ts';
import { eventually } from '../../support/eventually.ts';
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
