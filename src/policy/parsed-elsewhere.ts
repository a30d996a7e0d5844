import { parseDocument, type ParsedDocument, type ParseSettings } from './parse-document.ts';
import type { AuthorDocument } from './spec.ts';

interface Parsed {
  /** Undefined: the same with any. */
  readonly settings: ParseSettings | undefined;
  readonly result: ParsedDocument;
}

/** What became of documents that were parsed before, where they were read or in a thread; gone with the documents. */
const parsedElsewhere = new WeakMap<AuthorDocument, Parsed>();

/**
 * Remembers what `parseDocument` made of the document elsewhere, so that nobody has to wait for it here. `settings` undefined: they make no difference
 * to it.
 */
export function rememberParsed(
  document: AuthorDocument,
  settings: ParseSettings | undefined,
  result: ParsedDocument,
): void {
  parsedElsewhere.set(document, { settings, result });
}

/** As `parseDocument`, and at once where the document was parsed elsewhere with the same settings. */
export function parseOnce(document: AuthorDocument, settings: ParseSettings): ParsedDocument {
  return parsedBefore(document, settings) ?? parseDocument(document, settings);
}

/** What became of it where it was parsed already with the same settings. */
export function parsedBefore(document: AuthorDocument, settings: ParseSettings): ParsedDocument | undefined {
  const known = parsedElsewhere.get(document);
  if (known === undefined) return undefined;
  const isSame = known.settings === undefined || known.settings.serviceNamespace === settings.serviceNamespace;
  return isSame ? known.result : undefined;
}

/** As `parseOnce`, and whoever asks after has it at once. */
export function parseAndRemember(document: AuthorDocument, settings: ParseSettings): ParsedDocument {
  const known = parsedBefore(document, settings);
  if (known !== undefined) return known;
  const parsed = parseDocument(document, settings);
  rememberParsed(document, settings, parsed);
  return parsed;
}
