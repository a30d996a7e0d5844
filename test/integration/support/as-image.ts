import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBundle, programFile } from '../../../deploy/bundle/build-bundle.ts';

/** The bundle as the image holds it: nothing but Node beside it, nothing writable, and a user who owns none of it. */
export interface ImageFolder {
  /** The folder that the image has as /app. */
  readonly folder: string;
  /** Starts the program as the image's entry point does; the environment holds nothing of ours. */
  start(args: readonly string[]): ImageProcess;
  /** Starts Node itself, as the same user in the same folder. */
  startNode(args: readonly string[]): ImageProcess;
  /** Every file with its digest and mode, to see that nothing was changed. */
  digest(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface ImageProcess {
  readonly pid: number;
  output(): string;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, 128 and more for a signal that ended it. */
  readonly ended: Promise<number>;
}

/** As in deploy/Dockerfile. */
const imageUser = 65_532;
const isRoot = process.getuid?.() === 0;

/** Who the processes run as: the image's user where we may choose, else ourselves, who are not root either. */
export const runsAs: number = isRoot ? imageUser : (process.getuid?.() ?? imageUser);

export async function createImageFolder(): Promise<ImageFolder> {
  const top = await mkdtemp(join(tmpdir(), 'portcullis-image-'));
  const folder = join(top, 'app');
  const node = join(top, 'bin', 'node');
  await buildBundle(process.cwd(), folder);
  await mkdir(join(top, 'bin'));
  // A copy: the original may lie where the image's user cannot look.
  await copyFile(process.execPath, node);
  await setModes(top, 0o555, 0o444);
  await chmod(node, 0o555);
  return {
    folder,
    start: (args) => start(node, [join(folder, programFile), ...args], folder),
    startNode: (args) => start(node, args, folder),
    digest: () => digestOf(top),
    close: async () => {
      await setModes(top, 0o755, 0o644);
      await rm(top, { recursive: true });
    },
  };
}

function start(node: string, args: readonly string[], folder: string): ImageProcess {
  const child = spawn(node, args, {
    cwd: folder,
    // Nowhere to write: not at home, not in a temporary folder.
    env: { PATH: '/nonexistent', HOME: '/nonexistent', TMPDIR: folder, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot && { uid: imageUser, gid: imageUser }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
  return { pid: child.pid ?? 0, output: () => output, signal: (signal) => void child.kill(signal), ended };
}

async function setModes(path: string, folderMode: number, fileMode: number): Promise<void> {
  const isFolder = (await stat(path)).isDirectory();
  // A folder is opened before what is in it, so that its owner can go on.
  await chmod(path, isFolder ? folderMode | 0o700 : fileMode);
  if (!isFolder) return;
  for (const name of await readdir(path)) await setModes(join(path, name), folderMode, fileMode);
  await chmod(path, folderMode);
}

async function digestOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const lines = await Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode, mtimeMs } = await stat(path);
      const text = entry.isFile()
        ? createHash('sha256')
            .update(await readFile(path))
            .digest('hex')
        : '';
      return `${path} ${mode.toString(8)} ${mtimeMs} ${text}`;
    }),
  );
  return lines.toSorted();
}
