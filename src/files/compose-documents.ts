import { Composer, Document, Parser, YAMLParseError, type LineCounter } from 'yaml';

/** A text can have a mistake in every character, each of which costs a hundred times what is right: nobody reads on after so many. */
const maxMistakes = 1000;
/** Of one text. What is listed behind them would be work for whoever takes them in. */
const maxDocuments = 2000;

class TooManyMistakes extends Error {}

/**
 * The documents of a text, as trees. Gives up after a thousand mistakes: then the last document has those and no contents. Throws a
 * RangeError where the text is nested beyond the stack.
 */
export function composeDocuments(text: string, lineCounter: LineCounter): readonly Document[] {
  const documents: Document[] = [];
  // At its own level of logging the parser writes warnings that quote the text to stderr.
  // The parser compares each key with all before it, which takes half a minute for a map of a megabyte: `findBadKey` does it instead.
  const composer = new Composer({ prettyErrors: false, strict: true, uniqueKeys: false, logLevel: 'error' });
  const count = countMistakes(composer);
  try {
    for (const token of new Parser(lineCounter.addNewLine).parse(text)) {
      if (token.type === 'error') count();
      documents.push(...composer.next(token));
      if (documents.length > maxDocuments) return [...documents, tooManyDocuments(token.offset)];
    }
    documents.push(...composer.end());
  } catch (thrown) {
    if (!(thrown instanceof TooManyMistakes)) throw thrown;
    // The document that they are of is either the one begun or the one before it, which was not handed out yet.
    const { errors } = composer.streamInfo();
    documents.push(...composer.end());
    const mistaken = new Document(null);
    mistaken.errors.push(...errors);
    if (errors.length > 0) documents.push(mistaken);
  }
  return documents;
}

/** Makes the composer give up with the mistake that is one too many; what it answers counts one that the composer was not told of. */
function countMistakes(composer: Composer): () => void {
  let mistakes = 0;
  const count = (): void => {
    if (++mistakes > maxMistakes) throw new TooManyMistakes();
  };
  // There is no public way to stop it inside of a document; the tests of what a megabyte of mistakes costs hold this one.
  const report: (...mistake: readonly unknown[]) => void = composer['onError'];
  composer['onError'] = (...mistake: readonly unknown[]) => {
    count();
    report(...mistake);
  };
  return count;
}

function tooManyDocuments(offset: number): Document {
  const document = new Document(null);
  const message = `more than ${maxDocuments} documents in one text`;
  document.errors.push(new YAMLParseError([offset, offset], 'UNEXPECTED_TOKEN', message));
  return document;
}
