import type { IncrementalTest, IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { compileWith } from '../../../src/expressions/compile-expression.ts';
import type { Environment, Variable } from '../../../src/expressions/environment.ts';
import { equal } from '../../../src/expressions/operators/equality.ts';
import { RequestScope, requestOnly } from '../../../src/expressions/scope.ts';
import { kindOf } from '../../../src/expressions/values/kind.ts';
import { OptionalValue, type Value } from '../../../src/expressions/values/value.ts';
import { fromExprValue, fromProto, NotOffered, typeOfDeclaration } from './conformance-values.ts';
import { requestOf } from './expression-fixtures.ts';

export interface ConformanceTest {
  /** `file/section/name`, with `#2` behind the second of a name. */
  readonly id: string;
  readonly test: IncrementalTest;
}

export function testsOf(suite: IncrementalTestSuite): readonly ConformanceTest[] {
  const seen = new Map<string, number>();
  return suite.suites.flatMap((file) =>
    file.suites.flatMap((section) =>
      section.tests.map((test) => {
        const name = `${file.name}/${section.name}/${test.name}`;
        const count = (seen.get(name) ?? 0) + 1;
        seen.set(name, count);
        return { id: count === 1 ? name : `${name}#${count}`, test };
      }),
    ),
  );
}

const scope = requestOnly(new RequestScope(requestOf({}), 'id', 0));

/** Undefined where the test holds; else how it does not. */
export function runConformance({ original }: IncrementalTest): string | undefined {
  try {
    const variables = new Map(
      original.typeEnv.map((decl) => [decl.name, variableOf(typeOfDeclaration(decl), original.bindings[decl.name])]),
    );
    for (const [name, binding] of Object.entries(original.bindings)) {
      if (!variables.has(name)) variables.set(name, variableOf('dyn', binding));
    }
    return judge(original, { variables, result: 'any' });
  } catch (thrown) {
    if (thrown instanceof NotOffered) return `needs ${thrown.message}`;
    throw thrown;
  }
}

type Original = IncrementalTest['original'];

function variableOf(type: string, binding: Original['bindings'][string] | undefined): Variable {
  const value = binding === undefined ? undefined : fromExprValue(binding);
  return { kind: 'plain', type, read: () => value };
}

function judge(original: Original, environment: Environment): string | undefined {
  const { resultMatcher: wanted } = original;
  const isError = wanted.case === 'evalError' || wanted.case === 'anyEvalErrors';
  const compiled = compileWith(
    original.expr,
    environment,
    () => undefined,
    (value) => value,
  );
  if (compiled.kind === 'invalid') return isError ? undefined : `invalid: ${compiled.why}`;
  if (original.checkOnly) return undefined;
  const result = compiled.evaluate(scope);
  if ('failure' in result) return isError ? undefined : `failed: ${result.failure}`;
  const value: unknown = result.value;
  if (isError) return `no error but ${show(value)}`;
  const expected =
    wanted.case === 'value'
      ? fromProto(wanted.value)
      : wanted.case === 'typedResult' && wanted.value.result !== undefined
        ? fromProto(wanted.value.result)
        : wanted.case === undefined
          ? true
          : undefined;
  if (expected === undefined) return `has no expectation that we know: ${String(wanted.case)}`;
  return isSame(result.value, expected) ? undefined : `${show(value)} instead of ${show(expected)}`;
}

function isSame(value: Value | object, expected: Value): boolean {
  const found = value as Value;
  if (found instanceof OptionalValue) return false;
  if (Number.isNaN(found) && Number.isNaN(expected)) return true;
  return kindOf(found) === kindOf(expected) && equal(found, expected, { left: 1e9 }) === true;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part)) ?? String(value);
}
