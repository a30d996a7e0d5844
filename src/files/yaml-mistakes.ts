import type { YAMLParseError, YAMLWarning } from 'yaml';

/** Why a text is not what is read here, and where. */
export interface Mistake {
  readonly why: string;
  readonly offset: number;
}

/** A text can have a mistake in every line; nobody reads more than these. */
const maxMistakes = 50;

/** What the parser found wrong, in words. A mistake that makes the parser lose its place is told alone: what follows is an echo of it. */
export function yamlMistakes(errors: readonly (YAMLParseError | YAMLWarning)[], text: string): readonly Mistake[] {
  const [first] = errors;
  if (first === undefined) return [];
  const hint = hintFor(first, text);
  if (hint === undefined) return errors.slice(0, maxMistakes).map((error) => toMistake(error));
  const { why, offset } = toMistake(first);
  return [{ why: `${why} (${hint})`, offset: beginningOfText(text, offset) }];
}

function hintFor({ code, message, pos }: YAMLParseError | YAMLWarning, text: string): string | undefined {
  if (code === 'TAB_AS_INDENT') return 'indent with spaces';
  // A bracket that is not closed is told by the parser itself.
  if (code === 'BAD_INDENT') return message.startsWith('Flow') ? undefined : indentation;
  if (code === 'BLOCK_AS_IMPLICIT_KEY') return indentation;
  if (code === 'MISSING_CHAR' && message.startsWith('Sequence item')) return indentation;
  const line = text.slice(beginningOfText(text, pos[0])).split('\n', 1)[0] ?? '';
  return code === 'MULTILINE_IMPLICIT_KEY' && /^(?:- +)?[\w-]+:[^\s/]/.test(line)
    ? 'is a space missing behind a colon?'
    : undefined;
}

const indentation = 'the indentation of this line does not fit the lines above it';

function toMistake(error: YAMLParseError | YAMLWarning): Mistake {
  return { why: whyOf(error), offset: error.pos[0] };
}

/** The parser quotes what it stumbled over behind a colon; that may be part of a secret. */
function whyOf({ code, message }: YAMLParseError | YAMLWarning): string {
  if (code === 'RESOURCE_EXHAUSTION') return 'it is nested too deeply';
  return (message.split(/: |\n/, 1)[0] ?? '').replaceAll(/\s+/g, ' ');
}

/** Behind the spaces that the offset is in or before. */
function beginningOfText(text: string, offset: number): number {
  return offset + (/^[ \t]*/.exec(text.slice(offset, offset + 1000))?.[0].length ?? 0);
}
