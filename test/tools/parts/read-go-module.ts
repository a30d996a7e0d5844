import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A Go module of test/tools whose only purpose is to pin what is built. */
export interface GoModule {
  readonly folder: string;
  /** The oldest Go that builds it. */
  readonly neededGo: string;
  /** Of the module that it exists for, without the `v`. */
  readonly version: string;
}

/** Reads `test/tools/NAME/go.mod`. Throws where it does not require the module. */
export function readGoModule(name: string, requires: string): GoModule {
  const folder = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const text = readFileSync(join(folder, 'go.mod'), 'utf8');
  const wordOf = (start: string): string => {
    const line = text.split('\n').find((candidate) => candidate.startsWith(start));
    const word = line?.slice(start.length).split(' ')[0];
    if (word === undefined) throw new Error(`test/tools/${name}/go.mod has no line that starts with ${start.trim()}`);
    return word;
  };
  return { folder, neededGo: wordOf('go '), version: wordOf(`\t${requires} v`) };
}
