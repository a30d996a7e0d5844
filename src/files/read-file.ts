import { readFile } from 'node:fs/promises';
import { Failure, messageOf } from '../core/failure.ts';
import { parseDocument, type ParseSettings } from '../policy/parse-document.ts';
import { rememberParsed } from '../policy/parsed-elsewhere.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { forgetText, mayHoldSecret } from './document-message.ts';
import type { DocumentThread } from './document-thread.ts';
import type { Listed } from './list-files.ts';
import { readDocuments } from './read-documents.ts';

export interface FileReading {
  readonly documents: readonly AuthorDocument[];
  /** Why it could not be read. */
  readonly failure: string | undefined;
  /** True where another attempt may end otherwise, though nothing of the file changes. */
  readonly isTriedAgain: boolean;
}

/** Reads one file; never rejects. */
export type ReadFile = (file: Listed) => Promise<FileReading>;

/** Many policies in one file; one of Kubernetes is of 1.5 MB at most. */
export const maxFileBytes = 4 * 1024 * 1024;
/** An ordinary text takes a millisecond for 3000 characters; what is larger is left to the thread, which takes longer to begin than to read. */
const maxCharactersHere = 16 * 1024;

/** Reads and parses a file: a small one here, a larger one in the thread, so that no request waits for it. */
export function compileReadFile(thread: Pick<DocumentThread, 'read'>, settings: ParseSettings): ReadFile {
  return async ({ path, size }) => {
    try {
      const text = await readText(path, size);
      const documents =
        text.length > maxCharactersHere ? await thread.read(path, text) : readHere(path, text, settings);
      return { documents, failure: undefined, isTriedAgain: false };
    } catch (thrown) {
      // A Failure says what the file is; the file system may say something else the next time.
      return { documents: [], failure: messageOf(thrown), isTriedAgain: !(thrown instanceof Failure) };
    }
  };
}

/** Parsed at once: the documents of a thousand files are taken in together. */
function readHere(path: string, text: string, settings: ParseSettings): readonly AuthorDocument[] {
  const documents = readDocuments(path, text);
  if (documents.some(mayHoldSecret)) return forgetText(documents, settings);
  for (const document of documents) rememberParsed(document, settings, parseDocument(document, settings));
  return documents;
}

/** The text of a file of policies. Throws a Failure for one that is too large or not UTF-8, and what the file system throws. */
export async function readText(path: string, size: number): Promise<string> {
  if (size > maxFileBytes) throw tooLarge();
  const bytes = await readFile(path);
  if (bytes.length > maxFileBytes) throw tooLarge();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Failure('file_not_utf8', 'the file is not UTF-8', { cause });
  }
}

function tooLarge(): Failure {
  const message = `the file is larger than ${maxFileBytes / 1024} KiB: one file for each policy is read faster, too`;
  return new Failure('file_too_large', message);
}
