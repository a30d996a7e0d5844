import { parentPort } from 'node:worker_threads';
import { parseJson, toMessage, type ParsingTask, type ReadingTask } from './document-message.ts';
import { readDocuments } from './read-documents.ts';

/** The thread's own program: takes a task, answers each document by itself (so that nobody has to take in all of them at once), and then the bytes that its heap holds. Undefined ends it. */
parentPort?.on('message', (task: ReadingTask | ParsingTask | undefined) => {
  if (task === undefined) {
    parentPort?.close();
    return;
  }
  if (task.kind === 'parse') parentPort?.postMessage(parseJson(task));
  else
    for (const document of readDocuments(task.source, task.text))
      parentPort?.postMessage(toMessage(document, task.settings));
  parentPort?.postMessage(process.memoryUsage().heapUsed);
});
