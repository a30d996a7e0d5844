import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Clock, Timers } from '../../../src/core/ports.ts';
import { systemTimers } from '../../../src/runtime/system-ports.ts';
import { createTlsSource, type TlsSource } from '../../../src/runtime/tls-source.ts';
import { createAuthority, type TestPair } from '../../support/certificates.ts';
import { createKeptLog } from './runtime-fixtures.ts';

const authority = createAuthority();
const [first, second, third] = [authority.issue(), authority.issue(), authority.issue()];

let folder: string;
let events: string[];
let now: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-tls-'));
  events = [];
  now = Date.now();
});
afterEach(() => rmSync(folder, { recursive: true }));

const clock: Clock = { now: () => now, monotonic: () => performance.now() };
const pathOf = (name: string): string => join(folder, name);

function write({ certificate, key }: TestPair, into = folder): void {
  writeFileSync(join(into, 'tls.crt'), certificate);
  writeFileSync(join(into, 'tls.key'), key);
}

/** Follows `tls.crt`, `tls.key` and, where it is asked for, `ca.crt`; what happens is in `events`, by the name of the pair. */
async function start(clientCa?: string, timers: Timers = systemTimers): Promise<TlsSource> {
  const files = { certificate: pathOf('tls.crt'), key: pathOf('tls.key'), clientCa };
  const source = await createTlsSource({ files, minVersion: 'TLSv1.2', clock, timers, logger: createKeptLog() });
  onTestFinished(() => source.close());
  source.follow({
    onRenewed: ({ identity }) => {
      const name = ['first', 'second', 'third'].find(
        (_, i) => [first, second, third][i]?.certificate === identity.certificate,
      );
      events.push(`${name} ${identity.clientCas?.length ?? 'none'}`);
    },
    onRefused: (why) => events.push(why.replace(`${folder}/`, '')),
  });
  return source;
}

/** Timers that look often, and not at all soon after somebody told of a change. */
const pollOnly: Timers = {
  after: (delayMs, action) => (delayMs < 1000 ? () => undefined : systemTimers.after(15, action)),
};

/** Nobody tells of what is written here: the files in the folder are other names of these. */
function hardLinked(): string {
  const hidden = mkdtempSync(join(tmpdir(), 'portcullis-tls-hidden-'));
  onTestFinished(() => rmSync(hidden, { recursive: true }));
  for (const name of ['tls.crt', 'tls.key']) linkSync(pathOf(name), join(hidden, name));
  return hidden;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
const halfRotated =
  'tls.key is not the key of the first certificate: the pair is half rotated, or of two different pairs';

describe('a new pair is taken', () => {
  beforeEach(() => write(first));

  test('where the files are written in place', async () => {
    const source = await start();
    expect(source.first.identity).toEqual({ ...first, clientCas: undefined });
    write(second);
    await expect.poll(() => events).toEqual(['second none']);
  });

  test('in a folder where something happens all the time', async () => {
    await start();
    const noise = setInterval(() => writeFileSync(pathOf('noise'), String(Math.random())), 20);
    onTestFinished(() => clearInterval(noise));
    write(second);
    await expect.poll(() => events).toEqual(['second none']);
  });

  test('where the files are renamed into place', async () => {
    await start();
    mkdirSync(pathOf('next'));
    write(second, pathOf('next'));
    for (const name of ['tls.crt', 'tls.key']) renameSync(join(folder, 'next', name), pathOf(name));
    await expect.poll(() => events).toEqual(['second none']);
  });

  test('again and again, and what is the same is no change', async () => {
    await start();
    write(first);
    await sleep(300);
    write(second);
    await expect.poll(() => events).toEqual(['second none']);
    write(second);
    write(third);
    await expect.poll(() => events).toEqual(['second none', 'third none']);
  });

  test('by polling where nobody tells of the change', async () => {
    const hidden = hardLinked();
    await start(undefined, pollOnly);
    write(second, hidden);
    await expect.poll(() => events).toContain('second none');
  });

  test('where only the issuers of clients change', async () => {
    writeFileSync(pathOf('ca.crt'), authority.certificate);
    const source = await start(pathOf('ca.crt'));
    expect(source.first.identity.clientCas?.length).toBe(1);
    writeFileSync(pathOf('ca.crt'), authority.certificate + createAuthority('next').certificate);
    await expect.poll(() => events).toEqual(['first 2']);
  });
});

test("Kubernetes' swap of a link to a folder is one change", async () => {
  for (const [name, pair] of [
    ['v1', first],
    ['v2', second],
  ] as const) {
    mkdirSync(pathOf(name));
    write(pair, pathOf(name));
  }
  symlinkSync('v1', pathOf('..data'));
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, pathOf(name));
  await start();
  symlinkSync('v2', pathOf('..data_tmp'));
  renameSync(pathOf('..data_tmp'), pathOf('..data'));
  rmSync(pathOf('v1'), { recursive: true });
  await expect.poll(() => events).toEqual(['second none']);
});

describe('what cannot be used leaves the last good pair, is told once,', () => {
  beforeEach(() => write(first));

  test('and a half rotated pair is taken when it is whole', async () => {
    await start();
    writeFileSync(pathOf('tls.crt'), second.certificate);
    await expect.poll(() => events).toEqual([halfRotated]);
    await sleep(300);
    writeFileSync(pathOf('tls.key'), second.key);
    await expect.poll(() => events).toEqual([halfRotated, 'second none']);
  });

  test('however often it is looked at', async () => {
    const hidden = hardLinked();
    await start(undefined, pollOnly);
    writeFileSync(join(hidden, 'tls.crt'), second.certificate);
    await expect.poll(() => events).toEqual([halfRotated]);
    await sleep(200);
    expect(events).toEqual([halfRotated]);
    writeFileSync(join(hidden, 'tls.crt'), third.certificate);
    await expect.poll(() => events).toEqual([halfRotated, halfRotated]);
  });

  test('where it has expired', async () => {
    await start();
    write(authority.issue({ to: now - 1000 }));
    await expect.poll(() => events).toEqual([expect.stringMatching(/^tls.crt has expired on /)]);
  });

  test('where a file is gone, and that it comes back is no change', async () => {
    await start();
    unlinkSync(pathOf('tls.key'));
    await expect.poll(() => events).toEqual(['tls.key cannot be read (ENOENT)']);
    writeFileSync(pathOf('tls.key'), first.key);
    await sleep(300);
    write(second);
    await expect.poll(() => events).toEqual(['tls.key cannot be read (ENOENT)', 'second none']);
  });

  test('where the issuers of clients are empty: never is everybody believed', async () => {
    writeFileSync(pathOf('ca.crt'), authority.certificate);
    await start(pathOf('ca.crt'));
    writeFileSync(pathOf('ca.crt'), '');
    await expect.poll(() => events).toEqual(['ca.crt holds no certificate in PEM, or one that cannot be read']);
  });

  test('and time alone can make it good', async () => {
    const hidden = hardLinked();
    await start(undefined, pollOnly);
    const { certificate, key } = authority.issue({ from: now + 60_000 });
    writeFileSync(join(hidden, 'tls.key'), key);
    await expect.poll(() => events).toEqual([halfRotated]);
    writeFileSync(join(hidden, 'tls.crt'), certificate);
    await expect.poll(() => events).toEqual([halfRotated, expect.stringMatching(/^tls.crt is not valid before /)]);
    now += 61_000;
    await expect.poll(() => events.slice(2)).toEqual(['undefined none']);
  });
});

describe('at the start it is an error', () => {
  test.each<[string, () => void, string, RegExp]>([
    ['files that are not there', () => undefined, 'tls_unreadable', /tls\.crt cannot be read \(ENOENT\)$/],
    [
      'a pair that does not fit',
      () => write({ ...first, key: second.key }),
      'tls_unusable',
      /tls\.key is not the key of the first certificate/,
    ],
    [
      'a pair that has expired',
      () => write(authority.issue({ to: Date.now() - 1000 })),
      'tls_unusable',
      /tls\.crt has expired on /,
    ],
    [
      'a file that is far too large',
      () => write({ ...first, key: 'x'.repeat(2_000_000) }),
      'tls_unreadable',
      /tls\.key is larger than 1048576 bytes$/,
    ],
  ])('%s', async (_title, prepare, code, message) => {
    prepare();
    await expect(start()).rejects.toMatchObject({
      name: 'Failure',
      code,
      message: expect.stringMatching(message) as unknown,
    });
  });
});

test('after its end nothing is told any more', async () => {
  write(first);
  const source = await start();
  source.close();
  write(second);
  await sleep(300);
  expect(events).toEqual([]);
});
