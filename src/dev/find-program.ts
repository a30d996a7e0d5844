import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Environment } from './install-in-cache.ts';

/** The first program of that name on the PATH that `isRight` accepts; undefined where there is none. */
export async function findProgram(
  name: string,
  environment: Environment,
  isRight: (path: string) => Promise<boolean>,
): Promise<string | undefined> {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const candidate = join(folder, name);
    if (folder !== '' && existsSync(candidate) && (await isRight(candidate))) return candidate;
  }
  return undefined;
}
