import { isMap, isScalar, LineCounter, visit, type Document } from 'yaml';
import type { Problem } from '../core/problem.ts';
import { composeDocuments } from './compose-documents.ts';

/** What YAML 1.1, and so kubectl, takes for a boolean where it is not quoted, and YAML 1.2 for a text. */
const booleanWord = /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$/;
const anyBooleanWord = /\b(?:y|yes|n|no|on|off)\b/i;

/**
 * Warnings of the words in documents of ours that kubectl would read as another value than we do. Of a text that cannot be read there are
 * none: that is told elsewhere. Never throws.
 */
export function warnOfYamlBooleans(source: string, text: string): readonly Problem[] {
  if (!anyBooleanWord.test(text)) return [];
  const lines = new LineCounter();
  const problems: Problem[] = [];
  for (const document of compose(text, lines)) {
    if (!isForCluster(document)) continue;
    visit(document, {
      Scalar(_key, scalar) {
        if (scalar.type !== 'PLAIN' || typeof scalar.value !== 'string' || !booleanWord.test(scalar.value)) return;
        const { line, col } = lines.linePos(scalar.range?.[0] ?? 0);
        problems.push({
          code: 'yaml-boolean',
          severity: 'warning',
          message: `${scalar.value} is a text here and a boolean for kubectl: write "${scalar.value}"`,
          field: '',
          place: { source, line, column: col },
        });
      },
    });
  }
  return problems;
}

function compose(text: string, lines: LineCounter): readonly Document[] {
  try {
    return composeDocuments(text, lines);
  } catch {
    return [];
  }
}

/** A kind of ours, or a list that may hold some; a PolicyTest is for no cluster. */
function isForCluster({ contents, errors }: Document): boolean {
  if (errors.length > 0 || !isMap(contents)) return false;
  const [apiVersion, kind] = ['apiVersion', 'kind'].map((name) => {
    const value = contents.get(name, true);
    return isScalar(value) ? String(value.value) : '';
  });
  return kind === 'List' || (apiVersion?.startsWith('portcullis.dev/') === true && kind !== 'PolicyTest');
}
