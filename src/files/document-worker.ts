import { parentPort } from 'node:worker_threads';
import { parseJson, toMessage, type ParsingTask, type ReadingTask } from './document-message.ts';
import { readDocuments } from './read-documents.ts';
import { forgetRegularExpressions } from '../std/regular-expression.ts';

/** The thread's own program: takes a task, answers each document by itself (so that nobody has to take in all of them at once), and then the bytes that its heap holds. */
parentPort?.on('message', (task: ReadingTask | ParsingTask) => {
  if (task.kind === 'parse') parentPort?.postMessage(parseJson(task));
  else
    for (const document of readDocuments(task.source, task.text))
      parentPort?.postMessage(toMessage(document, task.settings));
  // Nothing of one document is kept for the next, which may be somebody else's.
  forgetRegularExpressions();
  parentPort?.postMessage(process.memoryUsage().heapUsed);
});
