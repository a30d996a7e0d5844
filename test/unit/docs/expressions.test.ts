import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { anonymous } from '../../../src/core/identity.ts';
import { compileExpression } from '../../../src/expressions/compile-expression.ts';
import { overloadsOf, functions } from '../../../src/expressions/functions/function-table.ts';
import { limits } from '../../../src/expressions/limits.ts';
import { policyEnvironments } from '../../../src/expressions/policy-environments.ts';
import { RequestScope, type Scope } from '../../../src/expressions/scope.ts';
import { alice, requestOf, scopeOf } from '../expressions/expression-fixtures.ts';

const page = readFileSync('docs/expressions.md', 'utf8');

/** The rows of the table with that first column: the cells as text, without the marks of code. */
function rowsOf(column: string): readonly (readonly string[])[] {
  const table = page.slice(page.indexOf(`| ${column} |`)).split('\n\n')[0] ?? '';
  return table
    .split('\n')
    .slice(2)
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) =>
          cell
            .trim()
            .replace(/^`(.*)`$/, '$1')
            .replaceAll('\\|', '|'),
        ),
    );
}

const scope: Scope = scopeOf(
  {},
  {
    request: new RequestScope(
      requestOf({
        target: '/orders/7?tag=a&tag=b',
        scheme: 'https',
        peerAddress: '10.1.2.3',
        headers: [{ name: 'x-tenant', value: 'acme', isText: true }],
      }),
      'id',
      Date.UTC(2026, 10, 21, 10),
    ),
    identity: {
      ...alice,
      roles: ['admin', 'app-orders'],
      claims: { tenant: 'acme', level: 3, email: 'alice@acme.example', address: { city: 'Berlin' } },
    },
  },
);

/** The same request without a credential, under Optional. */
const nobody: Scope = { ...scope, identity: anonymous };

function outcome(source: string, environment: 'condition' | 'header', seen = scope): string {
  const compiled = compileExpression(source, environment);
  if (compiled.kind === 'invalid') return `invalid: ${compiled.why}`;
  const result = compiled.evaluate(seen);
  if ('failure' in result) return `error: ${result.failure}`;
  // An empty text or list removes the header as well.
  const text = String(result.value ?? '');
  return text === '' ? 'removed' : text;
}

describe('docs/expressions.md', () => {
  const conditions = rowsOf('condition');
  const headers = rowsOf('header expression');
  const anonymously = rowsOf('expression for a caller who may be nobody');

  test('has examples', () => {
    expect([conditions.length > 10, headers.length > 8, anonymously.length > 4]).toEqual([true, true, true]);
  });

  test.each(conditions)('the condition %s is %s', (source, result) => {
    expect(outcome(source, 'condition')).toBe(result);
  });

  test.each(headers)('the header %s is %s', (source, result) => {
    expect(outcome(source, 'header')).toBe(result);
  });

  test.each(anonymously)('for a caller without a credential the header %s is %s', (source, result) => {
    expect(outcome(source, 'header', nobody)).toBe(result);
  });

  test('lists every variable and field, and no other', () => {
    const documented = rowsOf('variable').flatMap(([names = '']) => {
      const [first = '', ...rest] = names.replaceAll('`', '').split(', ');
      return [first, ...rest.map((name) => (name.startsWith('.') ? `${first.split('.')[0]}${name}` : name))];
    });
    const known = [...policyEnvironments.condition.variables].flatMap(([name, variable]) =>
      variable.kind === 'record' ? [...variable.fields.keys()].map((field) => `${name}.${field}`) : [name],
    );
    expect(documented.toSorted()).toEqual(known.toSorted());
  });

  test('names every function', () => {
    const text = page.slice(page.indexOf('## Functions'), page.indexOf('## Limits'));
    expect(functions.map(({ name }) => name).filter((name) => !new RegExp(`[\`.]${name}[\`(]`).test(text))).toEqual([]);
    expect(overloadsOf('nope', 'function', 1)).toEqual([]);
  });

  test('tells the limits', () => {
    const text = page.slice(page.indexOf('## Limits'), page.indexOf('## Examples')).replaceAll(',', '');
    const missing = Object.values(limits).filter((limit) => !new RegExp(`\\b${limit}\\b`).test(text));
    expect(missing).toEqual([]);
  });
});
