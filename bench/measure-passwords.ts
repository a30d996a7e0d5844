import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeCallHeaders } from './call-headers.ts';
import { openCallConnection, type CallConnection } from './call-connection.ts';
import { encodeCheckMessage } from './check-message.ts';
import { createProbeLog, type StopFigures } from './cluster/probe-log.ts';
import { checkPath } from './load.ts';
import type { Stand } from './stand.ts';
import { quantile } from './statistics.ts';
import { verdictOf, type Verdict } from './verdict.ts';

export interface PasswordFigures {
  readonly quiet: RememberedFigures;
  /** While wrong passwords are computed one after the other, each kind of hash in its turn, and nothing else is done. */
  readonly computing: StopFigures;
  /** While wrong passwords of every kind of hash keep the threads at work and the queue full. */
  readonly flooded: RememberedFigures;
  /** Beside the flood. */
  readonly stops: StopFigures;
  /** Of all, by what became of each: `wrong`, `busy`. */
  readonly results: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** Of checks of one whose password is remembered, one after the other. */
export interface RememberedFigures {
  readonly checks: number;
  readonly notAllowed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const seconds = 5;
const inFlight = 64;
const host = 'passwords.shop.example.com';
const flag = 'portcullis_password_checks_total';
const salt = 'cG9ydGN1bGxpcy1zYWx0IQ';
const tag = 'FFb3Rz0vYb1grWYq3zgZ4rKC3E7srBgN+xzdP6RaClo';

/** Whose passwords are tried. */
const names = ['bcrypt', 'argon2', 'scrypt', 'nobody'];

/** `remembered` is `open sesame`; nobody knows the others'. */
const users = [
  'remembered:$2b$10$b.oyP8L2AjZGOQqydZwRY.IW4N41g7HiR3NvNOrua3IaqnAhsA.Am',
  'bcrypt:$2b$12$b.oyP8L2AjZGOQqydZwRY.IW4N41g7HiR3NvNOrua3IaqnAhsA.Am',
  `argon2:$argon2id$v=19$m=65536,t=3,p=1$${salt}$${tag}`,
  `scrypt:$scrypt$ln=16,r=8,p=1$${salt}$${tag}`,
];

const policies = `apiVersion: v1
kind: Secret
metadata: { name: users, namespace: bench }
stringData: { users: ${JSON.stringify(users.join('\n'))} }
---
apiVersion: portcullis.dev/v1alpha1
kind: IdentityProvider
metadata: { name: users, namespace: bench }
spec: { type: Basic, basic: { secretRef: { name: users, key: users } } }
---
apiVersion: portcullis.dev/v1alpha1
kind: AccessPolicy
metadata: { name: passwords, namespace: bench }
spec:
  hosts: [${host}]
  authentication: { providers: [{ name: users }] }
  rules: [{ name: all, matches: [{ path: { type: PathPrefix, value: / } }], access: Authenticated }]
`;

/** What a flood of wrong passwords does to somebody who is remembered, and to the event loop. */
export async function measurePasswords(stand: Stand): Promise<PasswordFigures> {
  const folder = join(stand.workFolder, 'policies-passwords');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'passwords.yaml'), policies);
  const probe = createProbeLog(stand.workFolder, 'passwords');
  const server = await stand.startPortcullis({ name: 'passwords', policies: folder, nodeFlags: probe.nodeFlags });
  const open = (): Promise<CallConnection> =>
    openCallConnection(server.address, encodeCallHeaders(checkPath, 'portcullis.bench'));
  const [one, many] = [await open(), await open()];
  try {
    if ((await ask(one, 'remembered', 'open sesame')) !== 'allow') throw new Error('the right password is refused');
    const quiet = await askRepeatedly(one);
    const computing = await probe.stopsSince(await computeInTurn(one));
    const since = Date.now();
    const stopFlood = flood(many);
    const flooded = await askRepeatedly(one);
    stopFlood();
    const stops = await probe.stopsSince(since);
    return { quiet, computing, flooded, stops, results: resultsOf(await server.metrics()), seconds };
  } finally {
    one.close();
    many.close();
    await server.stop();
  }
}

function ask(connection: CallConnection, user: string, password: string): Promise<Verdict> {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const message = encodeCheckMessage({ host, path: '/', token: undefined, authorization });
  return new Promise((resolve) => connection.call(message, (start) => resolve(verdictOf(start))));
}

async function askRepeatedly(connection: CallConnection): Promise<RememberedFigures> {
  const times: number[] = [];
  let notAllowed = 0;
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const start = performance.now();
    if ((await ask(connection, 'remembered', 'open sesame')) !== 'allow') notAllowed++;
    times.push(performance.now() - start);
    await sleep(1);
  }
  return { checks: times.length, notAllowed, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) };
}

/** Since when. */
async function computeInTurn(connection: CallConnection): Promise<number> {
  const since = Date.now();
  for (let number = 0; number < 2 * names.length; number++)
    await ask(connection, names[number % names.length] ?? '', `wrong ${number}`);
  return since;
}

/** Always so many at once, no two alike; the returned function ends it. */
function flood(connection: CallConnection): () => void {
  let sent = 0;
  const state = { ended: false };
  const go = async (): Promise<void> => {
    while (!state.ended) {
      const number = sent++;
      const name = names[number % names.length] ?? '';
      await ask(connection, name === 'nobody' ? `nobody ${number}` : name, `wrong ${number}`);
      await sleep(5);
    }
  };
  for (let index = 0; index < inFlight; index++) void go();
  return () => {
    state.ended = true;
  };
}

function resultsOf(metrics: string): Readonly<Record<string, number>> {
  const found = metrics.matchAll(new RegExp(`^${flag}\\{result="([a-z]+)"\\} (\\d+)`, 'gm'));
  return Object.fromEntries([...found].map(([, result = '', count = '']) => [result, Number(count)]));
}
