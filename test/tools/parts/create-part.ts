import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf } from '../../../src/core/failure.ts';
import { findProgram } from '../../../src/dev/find-program.ts';
import { cacheFolder, installInCache, type Environment } from '../../../src/dev/install-in-cache.ts';
import { runCommand } from '../../../src/dev/run-command.ts';
import type { Part } from './part.ts';

/** How a program is recognised, and how it is brought. */
export interface PartRecipe {
  readonly name: string;
  /** What it is called on the PATH. */
  readonly program: string;
  /** What it is asked for its version, and the version in its answer, as the first group. */
  readonly versionArguments: readonly string[];
  readonly versionPattern: RegExp;
  isRight(version: string): boolean;
  /** The name of its folder in the cache, which names the version, and its path below that. */
  readonly folder: string;
  readonly file: string;
  /** How it is brought and what that costs, for `Bringing NAME (…)`. */
  readonly effort: string;
  /** What somebody does where it cannot be brought: a whole sentence. */
  readonly remedy: string;
  /** Fills the folder; it throws with the reason where it cannot. */
  fill(folder: string, host: PartHost): Promise<void>;
}

export interface PartHost {
  readonly environment: Environment;
  readonly progress: (line: string) => void;
}

const versionTimeoutMs = 20_000;

export function createPart(recipe: PartRecipe): Part {
  const { name, file, remedy } = recipe;
  const finishedIn = (environment: Environment): string => join(cacheFolder(environment), recipe.folder);
  const unavailable = (why: string, cause?: unknown): Error =>
    new Error(`${name} is not to be had here: ${why}. ${remedy}`, { cause });
  const find: Part['find'] = async (environment) => {
    const found = await findProgram(recipe.program, environment, async (path) => isRight(await versionOf(path)));
    if (found !== undefined) return found;
    const cached = join(finishedIn(environment), file);
    return existsSync(cached) ? cached : undefined;
  };
  const isRight = (version: string | undefined): boolean => version !== undefined && recipe.isRight(version);
  const versionOf = async (path: string): Promise<string | undefined> => {
    const { code, output } = await runCommand(path, recipe.versionArguments, { timeoutMs: versionTimeoutMs });
    return code === 0 ? recipe.versionPattern.exec(output)?.[1] : undefined;
  };
  const fill = async (folder: string, host: PartHost): Promise<void> => {
    try {
      await recipe.fill(folder, host);
    } catch (error) {
      throw unavailable(messageOf(error), error);
    }
    const version = await versionOf(join(folder, file));
    if (!isRight(version)) throw unavailable(`what was brought is not right (${version ?? 'it tells no version'})`);
  };
  return {
    name,
    find,
    async bring(environment, progress) {
      const found = await find(environment);
      if (found !== undefined) return found;
      const finished = finishedIn(environment);
      const announcement = `Bringing ${name} (${recipe.effort}, once, into ${dirname(finished)}) …`;
      const host = { environment, progress };
      return installInCache({
        finished,
        file,
        announcement,
        progress,
        fill: (folder) => fill(folder, host),
        unavailable,
      });
    },
  };
}
