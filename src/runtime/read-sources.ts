import { stat } from 'node:fs/promises';
import { Failure, messageOf } from '../core/failure.ts';
import type { Problem } from '../core/problem.ts';
import { listFiles } from '../files/list-files.ts';
import { readDocuments } from '../files/read-documents.ts';
import { readText } from '../files/read-file.ts';
import { tooDeep, unreadable } from '../files/unreadable.ts';
import type { AuthorDocument, SourceReading } from '../policy/spec.ts';
import { policyFiles } from './config/settings.ts';

/** What is to be said of the text of a source, besides what its documents say. */
type JudgeText = (source: string, text: string) => readonly Problem[];

interface Read {
  readonly documents: AuthorDocument[];
  readonly problems: Problem[];
  take(source: string, text: string): void;
}

/** Reads files and folders once, for tools; `-` is standard input. What cannot be read is a Problem. */
export async function readSources(
  paths: readonly string[],
  stdin: () => Promise<string>,
  judgeText: JudgeText = () => [],
): Promise<SourceReading> {
  const documents: AuthorDocument[] = [];
  const problems: Problem[] = [];
  const take = (source: string, text: string): void => {
    documents.push(...readDocuments(source, text));
    problems.push(...judgeText(source, text));
  };
  for (const path of paths) await readPath(path, stdin, { documents, problems, take });
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

async function readPath(path: string, stdin: () => Promise<string>, read: Read): Promise<void> {
  const { problems } = read;
  if (path === '-') return read.take('-', await stdin());
  try {
    const listing = (await stat(path)).isDirectory() ? await listFiles(path) : undefined;
    const files = listing?.files.map((file) => file.path) ?? [path];
    problems.push(...(listing?.tooDeep ?? []).map(tooDeep));
    if (files.length === 0) problems.push(unreadable(path, `the folder holds no file of policies (${policyFiles})`));
    for (const file of files) await readFile(file, read);
  } catch (thrown) {
    problems.push(unreadable(path, `it cannot be read: ${messageOf(thrown)}`));
  }
}

/** One file that cannot be read keeps nobody from reading the others. */
async function readFile(file: string, read: Read): Promise<void> {
  try {
    read.take(file, await readText(file, 0));
  } catch (thrown) {
    read.problems.push(unreadable(file, `it cannot be read: ${messageOf(thrown)}`));
  }
}
