import { parentPort } from 'node:worker_threads';
import { toMessage, type ReadingTask } from './document-message.ts';
import { readDocuments } from './read-documents.ts';

/** The thread's own program: takes a task, answers each document by itself (so that nobody has to take in all of them at once), and then null. */
parentPort?.on('message', ({ source, text, settings }: ReadingTask) => {
  for (const document of readDocuments(source, text)) parentPort?.postMessage(toMessage(document, settings));
  parentPort?.postMessage(null);
});
