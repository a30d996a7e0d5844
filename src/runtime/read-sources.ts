import { stat } from 'node:fs/promises';
import { Failure, messageOf } from '../core/failure.ts';
import type { Problem } from '../core/problem.ts';
import { listFiles } from '../files/list-files.ts';
import { readDocuments } from '../files/read-documents.ts';
import { readText } from '../files/read-file.ts';
import { tooDeep, unreadable } from '../files/unreadable.ts';
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
  const problem = reading.problems.find(({ severity }) => severity === 'error');
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
    const listing = (await stat(path)).isDirectory() ? await listFiles(path) : undefined;
    const files = listing?.files.map((file) => file.path) ?? [path];
    problems.push(...(listing?.tooDeep ?? []).map(tooDeep));
    if (files.length === 0) problems.push(unreadable(path, `the folder holds no file of policies (${policyFiles})`));
    for (const file of files) await readFile(file, documents, problems);
  } catch (thrown) {
    problems.push(unreadable(path, `it cannot be read: ${messageOf(thrown)}`));
  }
}

/** One file that cannot be read keeps nobody from reading the others. */
async function readFile(file: string, documents: AuthorDocument[], problems: Problem[]): Promise<void> {
  try {
    documents.push(...readDocuments(file, await readText(file, 0)));
  } catch (thrown) {
    problems.push(unreadable(file, `it cannot be read: ${messageOf(thrown)}`));
  }
}
