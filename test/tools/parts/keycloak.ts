import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../src/core/failure.ts';
import { cacheFolder, installInCache, type Environment } from '../../../src/dev/install-in-cache.ts';
import type { Part } from './part.ts';
import { runOrThrow } from './run-or-throw.ts';

const name = 'Keycloak';
const version = '26.4.0';
const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:zip`;
const sha512 =
  '49affb5fcd0f3473b38ac30b2997400079d73dff4b6693645bd501d78554c1092526ddfcd4fc2f13d1ce334eef4e758baf7351ddabf65aaca85d814fba0969cf';
const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
const timeoutMs = 600_000;
/** What only the built server has. */
const built = join('lib', 'quarkus', 'generated-bytecode.jar');

/** The folder of a Keycloak that is built for a database in memory, so that it starts in 10 s where a fresh one takes a minute. */
export const keycloakPart: Part = {
  name,
  async find(environment) {
    const finished = finishedIn(environment);
    return existsSync(join(finished, built)) ? finished : undefined;
  },
  async bring(environment, progress) {
    const finished = finishedIn(environment);
    await installInCache({
      finished,
      file: built,
      announcement: `Bringing ${name} (${version}, 160 MB with Maven, once, into ${cacheFolder(environment)}) …`,
      progress,
      fill: (folder) => fill(folder, environment),
      unavailable,
    });
    return finished;
  },
};

function finishedIn(environment: Environment): string {
  return join(cacheFolder(environment), `keycloak-${version}`);
}

function unavailable(why: string, cause?: unknown): Error {
  const remedy = 'Install Java 17 or newer, Maven and Python 3, and let Maven reach a repository.';
  return new Error(`${name} is not to be had here: ${why}. ${remedy}`, { cause });
}

async function fill(folder: string, environment: Environment): Promise<void> {
  const archive = join(folder, `keycloak-quarkus-dist-${version}.zip`);
  const unpacked = join(folder, `keycloak-${version}`);
  const limits = { timeoutMs, environment, folder };
  try {
    await runOrThrow('mvn', ['-q', '-B', copyGoal, `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`], limits);
    const digest = createHash('sha512')
      .update(await readFile(archive))
      .digest('hex');
    if (digest !== sha512) throw new Error(`${artifact} is not the archive that was pinned`);
    await runOrThrow('python3', ['-m', 'zipfile', '-e', archive, folder], limits);
    await rm(archive);
    const script = join(unpacked, 'bin', 'kc.sh');
    await chmod(script, 0o755);
    await runOrThrow(script, ['build', '--db=dev-mem'], limits);
    for (const part of ['bin', 'conf', 'lib', 'providers', 'themes'])
      await rename(join(unpacked, part), join(folder, part));
    await rm(unpacked, { recursive: true });
  } catch (error) {
    throw unavailable(messageOf(error), error);
  }
}
