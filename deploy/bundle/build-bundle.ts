import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../../src/core/json.ts';
import { bundleProgram, programEntry } from './bundle-program.ts';
import { packagesOf, type BundledPackage } from './bundled-package.ts';
import { cyclonedx, type ProgramAbout } from './cyclonedx.ts';
import { readLock } from './read-lock.ts';
import { thirdPartyNotices } from './third-party-notices.ts';

/**
 * Where the program lies in the folder. It looks for package.json, proto and examples two folders above its own files, as it does in
 * a checkout and in the package of npm.
 */
export const programFolder = 'lib/js';
/** What is run: a short name for it. */
export const programFile = 'portcullis.js';

/** What the program reads while it runs, and what goes with it. */
const copied = ['proto', 'examples/quickstart', 'LICENSE'];

/** Empties the folder and writes all of the program there, so that Node alone runs it. The same sources give the same bytes. */
export async function buildBundle(root: string, folder: string): Promise<readonly BundledPackage[]> {
  const about = await readAbout(root);
  const program = await bundleProgram(root);
  const packages = await packagesOf(program.modules, root, await readLock(join(root, 'package-lock.json')));
  await rm(folder, { recursive: true, force: true });
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  };
  for (const { name, text } of program.files) await write(`${programFolder}/${name}`, text);
  await write(programFile, `#!/usr/bin/env node\nimport './${programFolder}/${programEntry}';\n`);
  await write('package.json', toText(manifestOf(about)));
  await write('THIRD-PARTY-NOTICES', thirdPartyNotices(packages));
  await write('sbom.cdx.json', toText(cyclonedx(about, packages)));
  for (const path of copied) await cp(join(root, path), join(folder, path), { recursive: true });
  return packages;
}

async function readAbout(root: string): Promise<ProgramAbout> {
  // What JSON.parse answers is JSON.
  const parsed = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as JsonValue;
  const text = (name: string): string => {
    const found = isJsonObject(parsed) ? ownMember(parsed, name) : undefined;
    if (typeof found !== 'string') throw new Error(`package.json has no ${name}`);
    return found;
  };
  return {
    name: text('name'),
    version: text('version'),
    description: text('description'),
    licence: text('license'),
  };
}

/** Only what the program and Node look at: its files are modules, and this is its version. */
function manifestOf({ name, version, description, licence }: ProgramAbout): JsonObject {
  return {
    name,
    version,
    description,
    license: licence,
    private: true,
    type: 'module',
    bin: { portcullis: programFile },
  };
}

function toText(value: JsonObject): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
