import type { SourceFacts } from './scan-source.ts';

export const maxFileLines = 400;
export const maxFunctionLines = 60;

/** Every file and function that is too large; it wants splitting by topic. */
export function judgeSizes(files: readonly SourceFacts[]): readonly string[] {
  return files.flatMap(({ path, lineCount, functions }) => [
    ...(lineCount > maxFileLines ? [`${path}: ${lineCount} lines, above ${maxFileLines}`] : []),
    ...functions
      .filter(({ lines }) => lines > maxFunctionLines)
      .map(({ line, lines }) => `${path}:${line}: a function of ${lines} lines, above ${maxFunctionLines}`),
  ]);
}
