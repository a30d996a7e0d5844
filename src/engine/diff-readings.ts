import type { AuthorDocument, SourceReading } from '../policy/spec.ts';
import type { DocumentChange } from './documents.ts';

/** What is new in a reading. Documents that did not change are the same objects, mostly in the same places. */
export function diffReadings(before: readonly AuthorDocument[], reading: SourceReading): DocumentChange {
  const { documents, problems, unreadable } = reading;
  let start = 0;
  while (start < before.length && before[start] === documents[start]) start++;
  let end = 0;
  const most = Math.min(before.length, documents.length) - start;
  while (end < most && before[before.length - 1 - end] === documents[documents.length - 1 - end]) end++;
  const old = before.slice(start, before.length - end);
  const now = documents.slice(start, documents.length - end);
  const [wasThere, isThere] = [new Set(old), new Set(now)];
  return {
    added: [...isThere].filter((document) => !wasThere.has(document)),
    removed: [...wasThere].filter((document) => !isThere.has(document)),
    problems,
    unreadable,
  };
}
