import { readFile } from 'node:fs/promises';
import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../../src/core/json.ts';

/** package-lock.json, as far as a list of what is in the bundle needs it. */
export interface Lock {
  /** By key: `node_modules/a/node_modules/b`. */
  readonly packages: ReadonlyMap<string, LockedPackage>;
  /** The key of the package that Node finds for that name from within the package; undefined where there is none. */
  resolve(fromKey: string, name: string): string | undefined;
}

export interface LockedPackage {
  readonly version: string;
  /** An SPDX expression; empty where the lock file knows none. */
  readonly licence: string;
  /** Empty where the lock file has none. */
  readonly integrity: string;
  readonly dependencies: readonly string[];
}

export async function readLock(path: string): Promise<Lock> {
  // What JSON.parse answers is JSON.
  const parsed = JSON.parse(await readFile(path, 'utf8')) as JsonValue;
  const entries = Object.entries(objectOf(isJsonObject(parsed) ? ownMember(parsed, 'packages') : undefined));
  const packages = new Map(entries.map(([key, entry]) => [key, toLocked(objectOf(entry))]));
  const resolve = (fromKey: string, name: string): string | undefined => {
    for (let at = fromKey; ; at = parentOf(at)) {
      const candidate = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
      if (packages.has(candidate)) return candidate;
      if (at === '') return undefined;
    }
  };
  return { packages, resolve };
}

function toLocked(entry: JsonObject): LockedPackage {
  const text = (name: string): string => {
    const found = ownMember(entry, name);
    return typeof found === 'string' ? found : '';
  };
  const kinds = ['dependencies', 'optionalDependencies', 'peerDependencies'];
  return {
    version: text('version'),
    licence: text('license'),
    integrity: text('integrity'),
    dependencies: [...new Set(kinds.flatMap((kind) => Object.keys(objectOf(ownMember(entry, kind)))))],
  };
}

/** `node_modules/a/node_modules/b` → `node_modules/a` → the root. */
function parentOf(key: string): string {
  const at = key.lastIndexOf('/node_modules/');
  return at < 0 ? '' : key.slice(0, at);
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return value !== undefined && isJsonObject(value) ? value : {};
}
