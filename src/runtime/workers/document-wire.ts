import { isJsonObject, type JsonValue } from '../../core/json.ts';
import type { Place, Problem } from '../../core/problem.ts';
import { neededValue } from '../../files/document-message.ts';
import type { ParsedDocument, ParseSettings } from '../../policy/parse-document.ts';
import { parseOnce, rememberParsed } from '../../policy/parsed-elsewhere.ts';
import type { AuthorDocument } from '../../policy/spec.ts';
import { withSharedParts } from '../document-parser.ts';

/** A document on its way to a worker, parsed already. */
export interface DocumentWire {
  readonly source: string;
  readonly problems: readonly Problem[];
  /** Of the document, and of its name: what else has a place is told by the watcher alone. */
  readonly place: Place;
  readonly namePlace: Place;
  /** The JSON of what is needed of the value. */
  readonly text: string;
  readonly version: AuthorDocument['version'];
  readonly reference: string | undefined;
  readonly refusal: string | undefined;
  readonly parsed: ParsedDocument;
}

export function toDocumentWire(document: AuthorDocument, settings: ParseSettings): DocumentWire {
  const { source, problems, version, reference, refusal, text } = document;
  const parsed = parseOnce(document, settings);
  const isWhole = parsed.kind === 'accepted' && text !== undefined;
  return {
    source,
    problems,
    place: document.placeOf([]),
    namePlace: document.placeOf(['metadata', 'name']),
    text: isWhole ? text : JSON.stringify(neededValue(document.value, parsed)),
    version,
    reference,
    refusal,
    parsed,
  };
}

export function fromDocumentWire(wire: DocumentWire, settings: ParseSettings): AuthorDocument {
  const document = new ReceivedDocument(wire);
  rememberParsed(document, settings, withSharedParts(wire.parsed));
  return document;
}

/** A class, since there are ten thousand of them; the value is made of its text where somebody asks for it. */
class ReceivedDocument implements AuthorDocument {
  readonly source: string;
  readonly problems: readonly Problem[];
  readonly version?: NonNullable<AuthorDocument['version']>;
  readonly reference?: string;
  readonly refusal?: string;
  readonly text: string;
  readonly #place: Place;
  readonly #namePlace: Place;

  constructor({ source, problems, version, reference, refusal, text, place, namePlace }: DocumentWire) {
    this.source = source;
    this.problems = problems;
    if (version !== undefined) this.version = version;
    if (reference !== undefined) this.reference = reference;
    if (refusal !== undefined) this.refusal = refusal;
    this.text = text;
    this.#place = place;
    this.#namePlace = namePlace;
  }

  get value(): JsonValue {
    const made: unknown = JSON.parse(this.text);
    return isJsonObject(made) ? made : null;
  }

  placeOf(path: readonly (string | number)[]): Place {
    return path[0] === 'metadata' && path[1] === 'name' ? this.#namePlace : this.#place;
  }
}
