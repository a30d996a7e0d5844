import { parseDocument, type ParsedDocument, type ParseSettings } from './parse-document.ts';
import type { AuthorDocument } from './spec.ts';

interface Parsed {
  readonly settings: ParseSettings;
  readonly result: ParsedDocument;
}

/** What became of documents that were parsed where they were read, in a thread of its own; gone with the documents. */
const parsedElsewhere = new WeakMap<AuthorDocument, Parsed>();

/** Remembers what `parseDocument` made of the document elsewhere, so that nobody has to wait for it here. */
export function rememberParsed(document: AuthorDocument, settings: ParseSettings, result: ParsedDocument): void {
  parsedElsewhere.set(document, { settings, result });
}

/** As `parseDocument`, and at once where the document was parsed elsewhere with the same settings. */
export function parseOnce(document: AuthorDocument, settings: ParseSettings): ParsedDocument {
  const known = parsedElsewhere.get(document);
  const isSame = known?.settings.serviceNamespace === settings.serviceNamespace;
  return known !== undefined && isSame ? known.result : parseDocument(document, settings);
}
