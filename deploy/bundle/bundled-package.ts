import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rolldownRuntime } from './bundle-program.ts';
import type { Lock } from './read-lock.ts';

/** A package of npm that is in the bundle, or a part of it. */
export interface BundledPackage {
  /** Its key in package-lock.json: `node_modules/jose`. */
  readonly key: string;
  readonly name: string;
  readonly version: string;
  /** Of an allowed list. */
  readonly licence: string;
  /** Of the package as it was fetched: `sha512-…`. */
  readonly integrity: string;
  /** The keys of the packages that it asks for and that are in the bundle too. */
  readonly dependencies: readonly string[];
  /** The text of its licence, and of its notice where it has one. */
  readonly notices: readonly string[];
}

/** Licences that ask for no more than to be kept with the program. Another one is a question for a person. */
const allowedLicences: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
]);

/** Of packages that are published without the text of their licence: the text of their repository, in `licences`. */
const textsOfOurs: ReadonlyMap<string, string> = new Map([['@redis/client', 'redis-client.txt']]);

/** The packages that the modules are of, by name and version. Throws where one has no licence file or none of the allowed licences. */
export async function packagesOf(
  modules: readonly string[],
  root: string,
  lock: Lock,
): Promise<readonly BundledPackage[]> {
  const keys = new Set(modules.flatMap((module) => keyOf(module) ?? []));
  const packages = await Promise.all([...keys].map((key) => readPackage(key, keys, root, lock)));
  return packages.toSorted((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

/** Where package-lock.json has the package of the module; undefined for a module of ours. */
function keyOf(module: string): string | undefined {
  if (module === rolldownRuntime) return 'node_modules/rolldown';
  return /(?:^|\/)(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//u.exec(module)?.[1];
}

async function readPackage(
  key: string,
  bundled: ReadonlySet<string>,
  root: string,
  lock: Lock,
): Promise<BundledPackage> {
  const entry = lock.packages.get(key);
  if (entry === undefined) throw new Error(`package-lock.json has no ${key}, of which a module is in the bundle`);
  const { version, licence, integrity } = entry;
  const folder = join(root, key);
  if (!allowedLicences.has(licence))
    throw new Error(`${key} has the licence ${licence}, which nobody has allowed (deploy/bundle/bundled-package.ts)`);
  const dependencies = entry.dependencies.flatMap((dependency) => lock.resolve(key, dependency) ?? []);
  const name = key.slice(key.lastIndexOf('node_modules/') + 'node_modules/'.length);
  return {
    key,
    name,
    version,
    licence,
    integrity,
    dependencies: dependencies.filter((dependency) => bundled.has(dependency)).toSorted(compare),
    notices: await readNotices(folder, textsOfOurs.get(name)),
  };
}

/** `ours`: the file of `licences` that stands for the one that is not there. */
async function readNotices(folder: string, ours: string | undefined): Promise<readonly string[]> {
  const names = (await readdir(folder)).toSorted(compare);
  const licences = names.filter((name) => /^(?:licen[cs]e|copying)(?:[.-]|$)/iu.test(name));
  if (licences.length === 0 && ours !== undefined)
    return [(await readFile(new URL(`licences/${ours}`, import.meta.url), 'utf8')).trim()];
  if (licences.length === 0) throw new Error(`${folder} has no licence file`);
  const files = [...licences, ...names.filter((name) => /^notice(?:\.|$)/iu.test(name))];
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.map((text) => text.replaceAll('\r\n', '\n').trim());
}

/** By code unit: the same on every machine. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
