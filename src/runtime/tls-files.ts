import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../core/failure.ts';
import { stampOf } from '../files/list-files.ts';
import { codeOf } from '../std/listen.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
  /** Undefined: clients are not asked for a certificate. */
  readonly clientCa: string | undefined;
}

/** What the files of a TlsFiles hold. The key is a secret. */
export interface TlsTexts {
  readonly certificate: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

/** Larger is no certificate, however long its chain. */
const maxFileBytes = 1024 * 1024;
const maxAttempts = 5;

/**
 * Reads until no file has changed around the reading, so that a swap of links is seen as one change; what is written file by file may
 * still come half. Throws a Failure `tls_unreadable` that names the file.
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsTexts> {
  let before = await stampTlsFiles(files);
  for (let attempt = 1; ; attempt++) {
    const certificate = await readText(files.certificate);
    const key = await readText(files.key);
    const clientCa = files.clientCa === undefined ? undefined : await readText(files.clientCa);
    const after = await stampTlsFiles(files);
    if (before === after || attempt === maxAttempts) return { certificate, key, clientCa };
    before = after;
  }
}

/** Changes when one of the files does, links followed; what is not there has a stamp too. Never throws. */
export async function stampTlsFiles(files: TlsFiles): Promise<string> {
  const stamps = pathsOf(files).map((path) => stat(path).then(stampOf, codeOf));
  return (await Promise.all(stamps)).join(' ');
}

/** The folders in which something happens when a file changes: its own, and where a link leads to. Never throws. */
export async function foldersOf(files: TlsFiles): Promise<readonly string[]> {
  const paths = pathsOf(files);
  const real = await Promise.all(paths.map((path) => realpath(path).catch(() => path)));
  return [...new Set([...paths, ...real].map((path) => dirname(path)))];
}

function pathsOf({ certificate, key, clientCa }: TlsFiles): readonly string[] {
  return clientCa === undefined ? [certificate, key] : [certificate, key, clientCa];
}

async function readText(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= maxFileBytes) return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Failure('tls_unreadable', `${path} cannot be read (${codeOf(cause) || 'unknown error'})`, { cause });
  }
  throw new Failure('tls_unreadable', `${path} is larger than ${maxFileBytes} bytes`);
}
