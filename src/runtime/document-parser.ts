import { messageOf } from '../core/failure.ts';
import { isJsonObject, type JsonValue } from '../core/json.ts';
import type { Problem } from '../core/problem.ts';
import type { DocumentThread } from '../files/document-thread.ts';
import type { HeavyParser } from '../kubernetes/document-lanes.ts';
import { refsOfParsed } from '../policy/material-refs.ts';
import { parseDocument, type ParsedDocument, type ParseSettings } from '../policy/parse-document.ts';
import { parseAndRemember, parsedBefore, rememberParsed } from '../policy/parsed-elsewhere.ts';
import { shareParts } from '../policy/share-parts.ts';
import type { AuthorDocument, MaterialRef } from '../policy/spec.ts';

/** Parses what comes from a cluster, once: whoever asks for the parsed document later has it at once. */
export interface DocumentParser extends HeavyParser {
  /** What the document refers to. Never throws for what an author can write. */
  referencesOf(document: AuthorDocument): readonly MaterialRef[];
}

/** An ordinary document takes a millisecond for 3000 characters; what is larger is left to the thread, which takes longer to begin than to read. */
const maxCharactersHere = 16 * 1024;
/** One that is refused for its size takes twenty milliseconds, though it has a dozen characters. */
const maxPatternsHere = 1;
/** A match by a regular expression, and `matches()` of an expression, which is no name of a member. */
const patterns = /"RegularExpression"|matches(?!")/g;

const isUnread = 'is large and is read after everything else: until then all requests of what it governs are denied';

export function createDocumentParser(thread: Pick<DocumentThread, 'parse'>, settings: ParseSettings): DocumentParser {
  return {
    isHeavy: (document) =>
      document.text !== undefined && !isLight(document.text) && parsedBefore(document, settings) === undefined,
    parse: async (document) => {
      const { source, problems, text } = document;
      if (text === undefined) return;
      const parsed = await thread
        .parse({ source, problems, text })
        .catch((thrown: unknown) => refuse(document, messageOf(thrown), settings));
      // What many policies have in common is shared within a thread alone.
      rememberParsed(document, settings, withSharedParts(parsed));
    },
    unread: (document) => withoutRulesFor(document, { code: 'unread', message: isUnread }),
    referencesOf: (document) => refsOfParsed(parseAndRemember(document, settings)),
  };
}

function isLight(text: string): boolean {
  if (text.length > maxCharactersHere) return false;
  return (text.match(patterns)?.length ?? 0) <= maxPatternsHere;
}

/** What many policies have in common as the same objects. */
export function withSharedParts(parsed: ParsedDocument): ParsedDocument {
  if (parsed.kind !== 'accepted' || parsed.spec.kind !== 'AccessPolicy') return parsed;
  return { ...parsed, spec: shareParts(parsed.spec) };
}

/** A document that takes more time or memory than any policy does: refused, and of a policy its hosts are denied (S4). */
function refuse(document: AuthorDocument, message: string, settings: ParseSettings): ParsedDocument {
  return parseDocument(withoutRulesFor(document, { code: 'too-large', message }), settings);
}

/** The document as it is refused: with what a policy governs, and without its rules. */
function withoutRulesFor(document: AuthorDocument, why: Pick<Problem, 'code' | 'message'>): AuthorDocument {
  const { source, value, problems, version } = document;
  const place = document.placeOf([]);
  const problem: Problem = { ...why, severity: 'error', field: '', place };
  return {
    value: withoutRules(value),
    source,
    problems: [...problems, problem],
    placeOf: () => place,
    ...(version === undefined ? {} : { version }),
  };
}

/** What takes long to parse are rules and their expressions. */
function withoutRules(value: JsonValue): JsonValue {
  if (!isJsonObject(value) || !isJsonObject(value['spec'])) return value;
  const { hosts, targetRefs, attachment, mode, onInvalid } = value['spec'];
  const spec = Object.entries({ hosts, targetRefs, attachment, mode, onInvalid });
  return {
    ...value,
    spec: Object.fromEntries(spec.flatMap(([name, part]) => (part === undefined ? [] : [[name, part]]))),
  };
}
