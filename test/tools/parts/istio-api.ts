import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../src/core/failure.ts';
import { isJsonObject } from '../../../src/core/json.ts';
import { cacheFolder, installInCache, type Environment } from '../../../src/dev/install-in-cache.ts';
import type { Part } from './part.ts';
import { readGoModule } from './read-go-module.ts';
import { runOrThrow } from './run-or-throw.ts';

const name = "Istio's API definitions";
const packageName = 'istio.io/api';
const goModule = readGoModule('istio-api', packageName);
/** The CRDs, and the mesh configuration, which is no CRD. */
export const istioCrds = join('kubernetes', 'customresourcedefinitions.gen.yaml');
export const istioMeshConfig = join('mesh', 'v1alpha1', 'config.proto');
const timeoutMs = 120_000;

/**
 * The folder with Istio's own definitions of the documents that our examples hold, out of the Go module that go.sum pins. They are no
 * program; whoever finds the folder takes it as it is.
 */
export const istioApiPart: Part = {
  name,
  find: async (environment) =>
    existsSync(join(finishedIn(environment), istioMeshConfig)) ? finishedIn(environment) : undefined,
  async bring(environment, progress) {
    const finished = finishedIn(environment);
    await installInCache({
      finished,
      file: istioMeshConfig,
      announcement: `Bringing ${name} (${goModule.version}, 1 MB, once, into ${cacheFolder(environment)}) …`,
      progress,
      fill: (folder) => fill(folder, environment),
      unavailable,
    });
    return finished;
  },
};

function finishedIn(environment: Environment): string {
  return join(cacheFolder(environment), `istio-api-${goModule.version}`);
}

function unavailable(why: string, cause?: unknown): Error {
  const remedy = `Install Go ${goModule.neededGo} or newer and let it reach a module proxy.`;
  return new Error(`${name} are not to be had here: ${why}. ${remedy}`, { cause });
}

async function fill(folder: string, environment: Environment): Promise<void> {
  try {
    const limits = { timeoutMs, environment: { ...environment, GOWORK: 'off' }, folder: goModule.folder };
    // Go holds what it brings against go.sum.
    const output = await runOrThrow('go', ['mod', 'download', '-json', packageName], limits);
    const told: unknown = JSON.parse(output.slice(output.indexOf('{')));
    const source = isJsonObject(told) ? told['Dir'] : undefined;
    if (typeof source !== 'string') throw new Error('go does not say where it put the module');
    for (const file of [istioCrds, istioMeshConfig]) await cp(join(source, file), join(folder, file));
  } catch (error) {
    throw unavailable(messageOf(error), error);
  }
}
