import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../core/failure.ts';

/** A file or folder below the source, as a stat call sees it. */
export interface Listed {
  readonly path: string;
  /** Changes when the content does, links followed. */
  readonly stamp: string;
  /** Bytes; 0 where it could not be looked at. */
  readonly size: number;
}

export interface Listing {
  readonly files: readonly Listed[];
  readonly folders: readonly string[];
  /** Folders that were not looked into, because they are more than `maxDepth` levels below the first. */
  readonly tooDeep: readonly string[];
}

/** Also what ends a link that leads back to a folder above it. */
export const maxDepth = 8;

/** Lists `*.yaml`, `*.yml` and `*.json`, also in folders below, in a stable order; names with a leading dot are passed over, links followed. */
export async function listFiles(folder: string): Promise<Listing> {
  const root = await stat(folder).catch((cause: unknown) => {
    throw new Failure('folder_unreadable', `the folder ${folder} cannot be read: does it exist?`, { cause });
  });
  if (!root.isDirectory())
    throw new Failure('folder_unreadable', `${folder} is not a folder: name the folder that holds the file`);
  const found: Found = { files: [], folders: [], tooDeep: [] };
  await walk(folder, 0, found);
  return found;
}

interface Found {
  readonly files: Listed[];
  readonly folders: string[];
  readonly tooDeep: string[];
}

async function walk(folder: string, depth: number, into: Found): Promise<void> {
  into.folders.push(folder);
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  for (const name of names) {
    const path = join(folder, name);
    const isDocument = /\.(ya?ml|json)$/i.test(name);
    const found = await stat(path).catch((cause: unknown) => {
      // A file that is gone again between the two calls is no file; what cannot be looked at must not pass for deleted.
      if (isGone(cause)) return undefined;
      if (isDocument) return 'unknown';
      throw new Failure('folder_unreadable', `${path} cannot be looked at`, { cause });
    });
    if (found === undefined) continue;
    if (found === 'unknown') into.files.push({ path, stamp: found, size: 0 });
    else if (found.isDirectory() && depth < maxDepth) await walk(path, depth + 1, into);
    else if (found.isDirectory()) into.tooDeep.push(path);
    else if (found.isFile() && isDocument) into.files.push({ path, stamp: stampOf(found), size: found.size });
  }
}

function isGone(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR');
}

/** Changes when the content does. */
export function stampOf({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
}
