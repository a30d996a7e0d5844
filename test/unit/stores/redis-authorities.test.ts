import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, getCACertificates, setDefaultCACertificates, type Server } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemTimers } from '../../../src/runtime/system-ports.ts';
import { readRedisAuthorities } from '../../../src/stores/read-redis-authorities.ts';
import { openRedisSession } from '../../../src/stores/redis-session.ts';
import { createAuthority } from '../../support/certificates.ts';

const password = 'canary-of-the-store';
const own = createAuthority('own authority');
const system = createAuthority('an authority that the system trusts');
const systemTrust = getCACertificates('default');
let folder: string;
let stranger: Server;
let seen = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-store-ca-'));
  await writeFile(join(folder, 'password'), password);
  setDefaultCACertificates([system.certificate]);
  const { certificate, key } = system.issue();
  stranger = createServer({ cert: certificate, key }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      seen += bytes.toString('latin1');
      socket.write('+OK\r\n');
    });
  });
  stranger.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  setDefaultCACertificates(systemTrust);
  stranger.close();
  await rm(folder, { recursive: true });
});

async function fileOf(text: string | undefined): Promise<string> {
  const path = join(folder, 'ca.crt');
  await rm(path, { force: true });
  if (text !== undefined) await writeFile(path, text);
  return path;
}

/** Connects to the stranger: how that ended, and whether he was sent the password. */
async function connect(caFile: string | undefined): Promise<{ readonly code: unknown; readonly told: boolean }> {
  seen = '';
  const address = stranger.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const passwordFile = join(folder, 'password');
  const options = { address: { isTls: true, host: 'localhost', port, database: 0 }, username: '', timeoutMs: 1000 };
  const code = await openRedisSession({ ...options, passwordFile, caFile }, systemTimers, () => undefined).then(
    (session) => (session.end(), 'open'),
    (thrown: { readonly code?: unknown }) => thrown.code,
  );
  return { code, told: seen.includes(password) };
}

const unusable: readonly (readonly [string, string | undefined, string])[] = [
  ['is missing', undefined, 'cannot be read: ENOENT'],
  ['is empty', '', 'there is no PEM certificate'],
  ['is blank', '\n', 'there is no PEM certificate'],
  ['is a key', own.key, 'a PEM block is damaged or of another kind'],
  ['is half written', own.certificate.slice(0, 200), 'a PEM block is damaged or of another kind'],
  [
    'is half written behind a whole one',
    own.certificate + own.certificate.slice(0, 200),
    'a PEM block is damaged or of another kind',
  ],
  [
    'holds no certificate where it says so',
    '-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n',
    'a certificate cannot be read',
  ],
];

test.each(unusable)(
  'a file of authorities that %s is refused, and nobody is sent the password',
  async (_name, text, why) => {
    const path = await fileOf(text);
    await expect(readRedisAuthorities(path)).rejects.toMatchObject({
      code: 'store_ca',
      message: expect.stringContaining(why),
    });
    expect(await connect(path)).toEqual({ code: 'store_ca', told: false });
  },
);

test('control: one with an authority is taken, who is of another is sent nothing, and without a file the system is trusted', async () => {
  expect(await readRedisAuthorities(await fileOf(own.certificate))).toBe(own.certificate);
  const [others, his, none] = [
    await connect(await fileOf(own.certificate)),
    await connect(await fileOf(system.certificate)),
    await connect(undefined),
  ];
  expect([others, his.told, none.told]).toEqual([{ code: 'SELF_SIGNED_CERT_IN_CHAIN', told: false }, true, true]);
});
