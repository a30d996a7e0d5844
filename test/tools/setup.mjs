// The pre-script of every npm script: brings node_modules into the state of package-lock.json, and sees to it that the script
// itself runs on a Node that is new enough. Plain JavaScript that Node 18 can read, without a package, because it runs before there are any.
// Silent where nothing is to be done.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { withLock } from './setup-lock.mjs';

const WANTED_NODE = [24, 7];

/** The parsed file; undefined where there is none or it was cut off while it was written. */
function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** True where the package of the lock file belongs on this machine. npm leaves out optional ones of other platforms. */
function belongsHere(entry) {
  if (entry.optional !== true) return true;
  const named = Array.isArray(entry.os) && Array.isArray(entry.cpu);
  // One bound to a C library cannot be judged without a slow look at the system: npm's choice is believed.
  if (!named || entry.libc !== undefined) return false;
  return entry.os.includes(process.platform) && entry.cpu.includes(process.arch);
}

/** True for `24.21.0`. */
export function isRightNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > WANTED_NODE[0] || (major === WANTED_NODE[0] && minor >= WANTED_NODE[1]);
}

/**
 * Names the first thing that keeps node_modules from being what package-lock.json says; undefined where all is there.
 * npm writes node_modules/.package-lock.json last, so an install that was cut off has none.
 */
export function findMissing(root) {
  const wanted = readJson(join(root, 'package-lock.json'));
  if (wanted === undefined) return 'package-lock.json';
  const installed = readJson(join(root, 'node_modules', '.package-lock.json'));
  if (installed === undefined) return 'node_modules';
  for (const [path, entry] of Object.entries(wanted.packages)) {
    if (path === '') continue;
    const found = installed.packages[path];
    if (found === undefined) {
      if (belongsHere(entry)) return path;
      continue;
    }
    if (found.version !== entry.version || found.integrity !== entry.integrity) return path;
    if (!existsSync(join(root, path, 'package.json'))) return path;
  }
  return undefined;
}

/** Runs `npm ci` with the npm and the Node that run us (never the ones inside node_modules, which it deletes). True where it succeeded. */
function install(root, missing) {
  console.error(`Installing the packages of package-lock.json (${missing} is missing or out of date) …`);
  const cli = process.env.npm_execpath;
  const own = cli !== undefined && /npm-cli\.[cm]?js$/.test(cli) && existsSync(cli);
  const flags = [
    'ci',
    '--include=dev',
    '--include=optional',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  const node = process.env.npm_node_execpath || process.execPath;
  const result = own
    ? spawnSync(node, [cli, ...flags], { cwd: root, encoding: 'utf8' })
    : spawnSync('npm', flags, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' });
  if (result.status === 0) return true;
  console.error(`${result.stdout || ''}${result.stderr || ''}`.trim());
  console.error(`npm ci failed${result.error ? `: ${result.error.message}` : ''}. Is a package registry reachable?`);
  return false;
}

/** The Node that npm's scripts find first: the one of the optional dependency, else the one on the PATH. Undefined where none runs. */
function scriptNode(root) {
  const brought = join(root, 'node_modules', '.bin', 'node');
  if (!existsSync(brought)) return process.versions.node;
  const result = spawnSync(brought, ['--version'], { encoding: 'utf8' });
  if (result.status === 0) return result.stdout.trim().slice(1);
  // A Node that does not run here (another C library) would hide the machine's own.
  rmSync(brought);
  return process.versions.node;
}

function main() {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  let node = process.versions.node;
  if (findMissing(root) !== undefined) {
    const done = withLock(root, () => {
      const missing = findMissing(root);
      return missing === undefined || install(root, missing);
    });
    if (!done) process.exit(1);
    node = scriptNode(root);
  } else if (!isRightNode(node)) {
    node = scriptNode(root);
  }
  if (isRightNode(node)) return;
  console.error(
    `Portcullis needs Node ${WANTED_NODE.join('.')} or newer, and this machine has ${node}. Install Node ${WANTED_NODE[0]} LTS and run this again.`,
  );
  process.exit(1);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) main();
