import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../../src/core/problem.ts';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { parseDocument } from '../../../src/policy/parse-document.ts';

const head = 'apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: a, namespace: shop}\n';
const rule = '  - name: r\n    matches: [{methods: [GET]}]\n    access: Public\n';

/** What is said of the document whose lines follow the head of three. */
function said(rest: string): readonly string[] {
  return readDocuments('p.yaml', head + rest).flatMap((document) =>
    parseDocument(document, { serviceNamespace: 'p' }).problems.map(formatProblem),
  );
}

const hint = '(the indentation of this line does not fit the lines above it)';

describe('an indentation that is wrong is one error, at its line, with a hint', () => {
  test.each([
    [
      'a field of a rule too far left',
      'spec:\n  hosts: [a.example]\n  rules:\n  - name: r\n    matches: [{methods: [GET]}]\n   access: Public\n',
      '9:4',
      hint,
    ],
    [
      'a field of a rule too far right',
      'spec:\n  hosts: [a.example]\n  rules:\n  - name: r\n    matches: [{methods: [GET]}]\n      access: Public\n',
      '9:7',
      hint,
    ],
    ['a field of spec too far right', `spec:\n  hosts: [a.example]\n   rules:\n${rule}`, '6:4', hint],
    ['a rule too far left', 'spec:\n  rules:\n    - name: r\n      access: Public\n   - name: s\n', '8:4', hint],
    [
      'a rule without its dash before one with it',
      'spec:\n  rules:\n    name: r\n  - matches: [{methods: [GET]}]\n',
      '7:3',
      hint,
    ],
    ['a tab', 'spec:\n\thosts: [a.example]\n', '5:2', '(indent with spaces)'],
    [
      'no space behind a colon',
      `spec:\n  hosts: [a.example]\n  mode:Enforce\n  rules:\n${rule}`,
      '6:3',
      '(is a space missing behind a colon?)',
    ],
  ])('%s', (_title, rest, place, words) => {
    const problems = said(rest);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^p\\.yaml:${place}: error: not well-formed YAML: `));
    expect(problems[0]).toContain(words);
  });

  test('a bracket that is not closed is told as that', () => {
    expect(said(`spec:\n  hosts: [a.example\n  rules:\n${rule}`)[0]).not.toContain('indentation of this line');
  });
});

describe('a field of spec at the left margin', () => {
  test.each([
    ['response', `spec:\n  hosts: [a.example]\n  rules:\n${rule}response: {forbidden: {status: 404}}\n`, '10:1'],
    ['rules', `spec:\n  hosts: [a.example]\nrules:\n${rule}`, '6:1'],
  ])('%s belongs under spec, and nothing else is said', (field, rest, place) => {
    expect(said(rest)).toEqual([
      `p.yaml:${place}: error: ${field} belongs under spec: indent it, with all that is below it [unknown-field]`,
    ]);
  });

  test('the control: there it is right', () => {
    expect(said(`spec:\n  hosts: [a.example]\n  response: {forbidden: {status: 404}}\n  rules:\n${rule}`)).toEqual([]);
  });
});
