import { isJsonObject, type JsonValue } from '../core/json.ts';
import type { Place, Problem } from '../core/problem.ts';
import { parseDocument, type ParsedDocument, type ParseSettings } from '../policy/parse-document.ts';
import { rememberParsed } from '../policy/parsed-elsewhere.ts';
import type { AuthorDocument } from '../policy/spec.ts';

/** A text to be read in another thread. */
export interface ReadingTask {
  readonly kind: 'read';
  readonly source: string;
  readonly text: string;
  readonly settings: ParseSettings;
}

/** A document whose JSON is to be parsed there. */
export interface ParsingTask {
  readonly kind: 'parse';
  readonly source: string;
  readonly text: string;
  readonly problems: readonly Problem[];
  readonly settings: ParseSettings;
}

/** What became of a document whose parts have no places, made of its JSON. */
export function parseJson({ source, text, problems, settings }: ParsingTask): ParsedDocument {
  const value: unknown = JSON.parse(text);
  const placeOf = (): Place => ({ source, line: undefined, column: undefined });
  return parseDocument({ value: isJsonObject(value) ? value : null, source, problems, placeOf }, settings);
}

/** A document on its way between threads: plain data that survives structuredClone. */
export interface DocumentMessage {
  readonly value: JsonValue;
  readonly source: string;
  readonly problems: readonly Problem[];
  /** By path as JSON, those of the upper levels. */
  readonly places: ReadonlyMap<string, Place>;
  readonly parsed: ParsedDocument;
}

/** Enough for all hosts, rules and providers of a policy. */
const maxPlaces = 2000;

/** Parses the document where it was read. What is refused is left behind but for what still says whose it is. */
export function toMessage(document: AuthorDocument, settings: ParseSettings): DocumentMessage {
  const parsed = parseDocument(document, settings);
  const { value, source, problems } = document;
  return { value: neededValue(value, parsed), source, problems, places: placesOf(document), parsed };
}

/** The value of a document that was parsed already: of one that is not accepted, what still says whose it is. */
export function neededValue(value: JsonValue, { kind }: ParsedDocument): JsonValue {
  return kind === 'accepted' ? value : headOf(value);
}

/** A place that is not among those sent is that of the nearest parent. */
export function fromMessage(message: DocumentMessage, settings: ParseSettings): AuthorDocument {
  const { value, source, problems, places, parsed } = message;
  const placeOf = (path: readonly (string | number)[]): Place => {
    for (let length = path.length; length >= 0; length--) {
      const place = places.get(JSON.stringify(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return { source, line: undefined, column: undefined };
  };
  const document: AuthorDocument = { value, source, problems, placeOf };
  rememberParsed(document, settings, parsed);
  return document;
}

/** True for a document that means to be a Secret, and for a text that is not well-formed, which may hold one. */
export function mayHoldSecret({ value, problems }: AuthorDocument): boolean {
  return problems.length > 0 || (isJsonObject(value) && value['kind'] === 'Secret');
}

/**
 * The documents of one text without the text: those that were read keep it for the places of their parts, and their own texts may be cut
 * out of it, with whatever is in the Secret beside them. What goes between threads is free of it.
 */
export function forgetText(documents: readonly AuthorDocument[], settings: ParseSettings): readonly AuthorDocument[] {
  return documents.map((document) => fromMessage(structuredClone(toMessage(document, settings)), settings));
}

/** What is asked of a refused document: its name, and whether it says `onInvalid: Deny`. */
function headOf(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return null;
  const { apiVersion, kind, metadata, spec } = value;
  const head = Object.entries({ apiVersion, kind, metadata: nameOf(metadata), spec: onInvalidOf(spec) });
  return Object.fromEntries(head.flatMap(([name, part]) => (part === undefined ? [] : [[name, part]])));
}

/** The annotations of a Secret may hold all of it once more (`kubectl apply` writes them). */
function nameOf(metadata: JsonValue | undefined): JsonValue | undefined {
  if (!isJsonObject(metadata)) return metadata;
  const { annotations: _annotations, ...rest } = metadata;
  return rest;
}

function onInvalidOf(spec: JsonValue | undefined): JsonValue | undefined {
  const onInvalid = isJsonObject(spec) ? spec['onInvalid'] : undefined;
  return onInvalid === undefined ? undefined : { onInvalid };
}

/** Level by level, until there are enough. */
function placesOf(document: AuthorDocument): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  let level: { readonly path: readonly (string | number)[]; readonly value: JsonValue }[] = [
    { path: [], value: document.value },
  ];
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { path, value } of level) {
      if (places.size >= maxPlaces) return places;
      places.set(JSON.stringify(path), document.placeOf(path));
      if (Array.isArray(value))
        value.forEach((element: JsonValue, index) => next.push({ path: [...path, index], value: element }));
      else if (isJsonObject(value))
        for (const [name, member] of Object.entries(value)) next.push({ path: [...path, name], value: member });
    }
    level = next;
  }
  return places;
}
