import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure, messageOf } from '../core/failure.ts';
import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../core/json.ts';
import { endWithProcess } from './end-with-process.ts';
import { exchange } from './http-exchange.ts';

export interface RunningEnvoy {
  /** Of its listener, on 127.0.0.1. */
  readonly port: number;
  /** Of its admin interface, on 127.0.0.1. */
  readonly adminPort: number;
  readonly logFile: string;
  /** Resolves when the process has ended, also where `close` ended it; the Failure says how and names the log. */
  readonly ended: Promise<Failure>;
  /** Ends the process and removes its files, the log too; resolves when it is gone. */
  close(): Promise<void>;
}

const startTimeoutMs = 30_000;
const stopTimeoutMs = 5000;
const pollMs = 50;

interface Files {
  readonly folder: string;
  readonly config: string;
  readonly adminAddress: string;
  readonly log: string;
}

/**
 * Starts the binary with the configuration and waits until it answers on its listener. Throws a Failure `envoy_failed` that names
 * the log file, which stays then.
 */
export async function startEnvoy(binary: string, config: JsonObject): Promise<RunningEnvoy> {
  const files = await writeFiles(config);
  const flags = ['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn', '--log-path', files.log];
  const child = spawn(binary, ['--config-path', files.config, '--admin-address-path', files.adminAddress, ...flags], {
    stdio: 'ignore',
  });
  const ended = endOf(child);
  const kill = (): void => void child.kill('SIGKILL');
  const release = endWithProcess(kill);
  const stop = async (): Promise<void> => {
    release();
    child.kill('SIGTERM');
    const timer = setTimeout(kill, stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  };
  try {
    const ready = await waitUntilReady(files, ended);
    return {
      ...ready,
      logFile: files.log,
      ended: ended.then((how) => failed(how, files.log)),
      async close() {
        await stop();
        await rm(files.folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeFiles(config: JsonObject): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-envoy-'));
  const path = join(folder, 'envoy.json');
  await writeFile(path, JSON.stringify(config, undefined, 2));
  return { folder, config: path, adminAddress: join(folder, 'admin-address'), log: join(folder, 'envoy.log') };
}

/** Resolves with how the process ended; never rejects. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(messageOf(error));
    });
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`);
    });
  });
}

function failed(why: string, log: string, cause?: unknown): Failure {
  return new Failure('envoy_failed', `Envoy does not run: ${why}. Its log: ${log}`, { cause });
}

async function waitUntilReady(files: Files, ended: Promise<string>): Promise<{ port: number; adminPort: number }> {
  let end: string | undefined;
  const watch = async (): Promise<void> => {
    end = await ended;
  };
  void watch();
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    if (end !== undefined) throw failed(`${end}${await lastLogLine(files.log)}`, files.log);
    const adminPort = portOf(await readFile(files.adminAddress, 'utf8').catch(() => ''));
    const port = adminPort === undefined ? undefined : await listenerPort(adminPort);
    if (port !== undefined && adminPort !== undefined) return { port, adminPort };
    await delay(pollMs);
  }
  throw failed(`it was not ready after ${startTimeoutMs / 1000} s`, files.log);
}

/** The port of the listener once every listener serves; undefined before. */
async function listenerPort(adminPort: number): Promise<number | undefined> {
  try {
    const headers = { host: 'admin' };
    const ready = await exchange(adminPort, { method: 'GET', path: '/ready', headers });
    const listeners = await exchange(adminPort, { method: 'GET', path: '/listeners?format=json', headers });
    if (ready.status !== 200 || listeners.status !== 200) return undefined;
    const found: JsonValue = JSON.parse(listeners.body);
    return memberAt(found, ['listener_statuses', 0, 'local_address', 'socket_address', 'port_value']);
  } catch {
    // Not there yet.
    return undefined;
  }
}

function memberAt(value: JsonValue, path: readonly (string | number)[]): number | undefined {
  let at: JsonValue | undefined = value;
  for (const step of path) {
    if (typeof step === 'number') at = Array.isArray(at) ? at[step] : undefined;
    else at = isJsonObject(at) ? ownMember(at, step) : undefined;
  }
  return typeof at === 'number' ? at : undefined;
}

function portOf(address: string): number | undefined {
  const port = Number(address.slice(address.lastIndexOf(':') + 1).trim());
  return Number.isInteger(port) && port > 0 ? port : undefined;
}

async function lastLogLine(log: string): Promise<string> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n');
  const line = lines.findLast((candidate) => /\[(?:error|critical)\]/u.test(candidate));
  return line === undefined ? '' : `: ${line}`;
}
