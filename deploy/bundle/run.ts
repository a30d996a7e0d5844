/** `npm run bundle`: the program and everything that it needs besides Node, in `dist-image` or the folder that is named. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBundle, programFile } from './build-bundle.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = resolve(process.argv[2] ?? `${root}/dist-image`);
const packages = await buildBundle(root, folder);
process.stdout.write(`${folder}/${programFile}, with parts of ${packages.length} packages\n`);
