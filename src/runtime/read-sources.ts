import { readFile, stat } from 'node:fs/promises';
import { Failure, messageOf } from '../core/failure.ts';
import type { Problem } from '../core/problem.ts';
import { listFiles } from '../files/list-files.ts';
import { readDocuments } from '../files/read-documents.ts';
import type { AuthorDocument, SourceReading } from '../policy/spec.ts';
import { policyFiles } from './config/settings.ts';

/** Reads files and folders once, for tools; `-` is standard input. What cannot be read is a Problem. */
export async function readSources(paths: readonly string[], stdin: () => Promise<string>): Promise<SourceReading> {
  const documents: AuthorDocument[] = [];
  const problems: Problem[] = [];
  for (const path of paths) await readPath(path, stdin, documents, problems);
  return { documents, problems, unreadable: new Set() };
}

/** The same for tools that cannot do with less than all of it: throws a Failure `policies_unreadable`. */
export async function readSourcesOrFail(
  paths: readonly string[],
  stdin: () => Promise<string>,
): Promise<SourceReading> {
  const reading = await readSources(paths, stdin);
  const [problem] = reading.problems;
  if (problem !== undefined) throw new Failure('policies_unreadable', `${problem.place.source}: ${problem.message}`);
  return reading;
}

async function readPath(
  path: string,
  stdin: () => Promise<string>,
  documents: AuthorDocument[],
  problems: Problem[],
): Promise<void> {
  if (path === '-') {
    documents.push(...readDocuments('-', await stdin()));
    return;
  }
  try {
    const isFolder = (await stat(path)).isDirectory();
    const files = isFolder ? (await listFiles(path)).files.map((file) => file.path) : [path];
    if (files.length === 0) problems.push(unreadable(path, `the folder holds no file of policies (${policyFiles})`));
    for (const file of files) documents.push(...readDocuments(file, await readFile(file, 'utf8')));
  } catch (thrown) {
    problems.push(unreadable(path, `it cannot be read: ${messageOf(thrown)}`));
  }
}

function unreadable(source: string, message: string): Problem {
  return {
    code: 'unreadable-file',
    severity: 'error',
    message,
    field: '',
    place: { source, line: undefined, column: undefined },
  };
}
