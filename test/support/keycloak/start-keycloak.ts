import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { keycloakPart } from '../../tools/parts/keycloak.ts';
import { eventually } from '../eventually.ts';
import { findFreePort } from '../kubernetes/free-port.ts';
import { startServerProgram, type ServerProgram } from '../kubernetes/server-program.ts';
import { createRealm } from './create-realm.ts';
import type { Keycloak } from './keycloak.ts';
import { keycloakAdmin } from './keycloak-admin.ts';

const startTimeoutMs = 240_000;

/**
 * Starts a Keycloak on a free port of loopback with a database in memory: about 10 s, and half a gigabyte, so a test file has one for all
 * its realms. Where it does not start it throws with the end of the log; where it is missing, with how it is brought
 * (`describeWithKeycloak` skips instead).
 */
export async function startKeycloak(): Promise<Keycloak> {
  const home = await keycloakPart.find(process.env);
  if (home === undefined) throw new Error('no Keycloak: `node test/tools/run.ts parts` brings it');
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-keycloak-'));
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const password = randomUUID();
  const program = await startServerProgram({
    binary: 'java',
    args: [...javaFlags(home), ...serverFlags(port)],
    folder,
    log: 'keycloak.log',
    environment: {
      PATH: process.env['PATH'],
      KC_BOOTSTRAP_ADMIN_USERNAME: 'admin',
      KC_BOOTSTRAP_ADMIN_PASSWORD: password,
    },
  });
  await waitUntilReady(program, url);
  const admin = keycloakAdmin(url, password);
  return {
    url,
    createRealm: (name, setup) => createRealm({ url, name, admin }, setup),
    async pause() {
      program.signal('SIGSTOP');
      // On a busy machine the signal takes a while to reach every thread.
      await eventually(async () => {
        const status = await readFile(`/proc/${program.pid}/status`, 'utf8');
        if (!/^State:\s+T/m.test(status)) throw new Error('Keycloak does not stop');
      });
    },
    resume: () => program.signal('SIGCONT'),
    async stop() {
      program.signal('SIGCONT');
      await program.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What `kc.sh` gives Java, but for the shell around it, which would leave Java behind when it is killed. */
function javaFlags(home: string): readonly string[] {
  const opened = ['java.util', 'java.util.concurrent', 'java.security'];
  const properties = {
    'java.util.concurrent.ForkJoinPool.common.threadFactory':
      'io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory',
    'java.util.logging.manager': 'org.jboss.logmanager.LogManager',
    'java.security.egd': 'file:/dev/urandom',
    'file.encoding': 'UTF-8',
    'picocli.disable.closures': 'true',
    'kc.home.dir': home,
    'jboss.server.config.dir': join(home, 'conf'),
  };
  return [
    '-Xms64m',
    '-Xmx512m',
    '-XX:MaxMetaspaceSize=256m',
    // It does not live long enough for what the second compiler gains: half the time to start on a busy machine.
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-XX:+ExitOnOutOfMemoryError',
    ...opened.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
    ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
    '-cp',
    join(home, 'lib', 'quarkus-run.jar'),
    'io.quarkus.bootstrap.runner.QuarkusEntryPoint',
  ];
}

function serverFlags(port: number): readonly string[] {
  const address = ['--http-enabled=true', '--http-host=127.0.0.1', `--http-port=${port}`, '--hostname-strict=false'];
  return ['start', '--optimized', ...address, '--cache=local'];
}

async function waitUntilReady(program: ServerProgram, url: string): Promise<void> {
  const end = performance.now() + startTimeoutMs;
  for (;;) {
    const isReady = await fetch(`${url}/realms/master`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isReady) return;
    const how = program.end() ?? (performance.now() > end ? 'not ready in time' : undefined);
    if (how !== undefined) {
      await program.kill();
      throw new Error(`Keycloak did not start (${how}):\n${program.lastLines()}`);
    }
    await delay(100);
  }
}
