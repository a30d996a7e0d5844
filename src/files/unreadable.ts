import type { Problem } from '../core/problem.ts';
import { maxDepth } from './list-files.ts';

/** The Problem of a file or folder that cannot be read. */
export function unreadable(source: string, message: string): Problem {
  const place = { source, line: undefined, column: undefined };
  return { code: 'unreadable-file', severity: 'error', message, field: '', place };
}

/** The Problem of a folder whose documents are missing because it lies too deep. */
export function tooDeep(folder: string): Problem {
  return unreadable(
    folder,
    `the folder is not read: it is more than ${maxDepth} levels below the folder of the policies`,
  );
}
