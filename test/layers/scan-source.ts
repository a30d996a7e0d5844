import { parseSync, Visitor } from 'rolldown/utils';
import type { SourceFile } from './source-file.ts';
import { effectVisitor, type Touch } from './scan-effects.ts';

/** What the checks know of one file. Lines count from 1. */
export interface SourceFacts {
  readonly path: string;
  readonly lineCount: number;
  /** Static, dynamic and type imports, and re-exports. `undefined` where a dynamic import computes its specifier. */
  readonly imports: readonly { readonly specifier: string | undefined; readonly line: number }[];
  readonly touches: readonly Touch[];
  readonly functions: readonly { readonly line: number; readonly lines: number }[];
  readonly anys: readonly number[];
  /** Lines of `x as T`, `<T>x` and `x!`; `as const` and `satisfies` claim nothing and do not count. */
  readonly assertions: readonly number[];
  /** Lines of comments that switch a check off. */
  readonly suppressions: readonly number[];
}

interface Ranged {
  readonly start: number;
  readonly end: number;
}

const suppression = /oxlint-disable|eslint-disable|@ts-ignore|@ts-expect-error|@ts-nocheck|prettier-ignore/u;

/** Reads the file with a real parser. Throws where it is not TypeScript. */
export function scanSource(file: SourceFile): SourceFacts {
  const { program, errors, comments } = parseSync(file.path, file.text);
  if (errors.length > 0) throw new Error(`${file.path}: ${errors[0]?.message ?? 'not TypeScript'}`);
  const lineOf = lineFinder(file.text);
  const imports: SourceFacts['imports'][number][] = [];
  const touches: Touch[] = [];
  const functions: SourceFacts['functions'][number][] = [];
  const anys: number[] = [];
  const assertions: number[] = [];
  const importing = (specifier: string | undefined, node: Ranged): void => {
    imports.push({ specifier, line: lineOf(node.start) });
  };
  const measure = (node: Ranged): void => {
    functions.push({ line: lineOf(node.start), lines: lineOf(node.end) - lineOf(node.start) + 1 });
  };
  const asserting = (node: Ranged): void => void assertions.push(lineOf(node.start));
  new Visitor({
    ImportDeclaration: (node) => importing(node.source.value, node),
    ExportAllDeclaration: (node) => importing(node.source.value, node),
    ExportNamedDeclaration: (node) => node.source && importing(node.source.value, node),
    ImportExpression: (node) => importing(textOf(node.source), node),
    TSImportType: (node) => importing(textOf(node.source), node),
    TSImportEqualsDeclaration: (node) => importing(undefined, node),
    FunctionDeclaration: measure,
    FunctionExpression: measure,
    ArrowFunctionExpression: measure,
    TSAnyKeyword: (node) => void anys.push(lineOf(node.start)),
    TSAsExpression: (node) => {
      if (file.text.slice(node.typeAnnotation.start, node.typeAnnotation.end) !== 'const') asserting(node);
    },
    TSTypeAssertion: asserting,
    TSNonNullExpression: asserting,
  }).visit(program);
  new Visitor(effectVisitor((touch) => touches.push(touch), lineOf)).visit(program);
  return {
    path: file.path,
    lineCount: file.text.trimEnd().split('\n').length,
    imports,
    touches,
    functions,
    anys,
    assertions,
    suppressions: comments.filter(({ value }) => suppression.test(value)).map(({ start }) => lineOf(start)),
  };
}

function textOf(node: { readonly type: string; readonly value?: unknown }): string | undefined {
  return node.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    const next = starts.findIndex((start) => start > offset);
    return next < 0 ? starts.length : next;
  };
}
