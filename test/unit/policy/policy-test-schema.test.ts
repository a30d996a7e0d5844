import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isJsonObject } from '../../../src/core/json.ts';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { createStructureCheck } from '../../../src/policy/check-structure.ts';
import { createProblemList } from '../../../src/policy/problem-list.ts';
import { policyTest } from '../../../src/policy/schema/policy-test.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';

const check = createStructureCheck<object>(policyTest);

function problemsOf(document: AuthorDocument): readonly string[] {
  const problems = createProblemList(document);
  check(namesInPlace(document), problems);
  return problems.all.map(({ code, field }) => `${code} ${field.replace(/^spec\./, '')}`);
}

/** A case may name a request in its place, which no structural schema can say. */
function namesInPlace({ value }: AuthorDocument): AuthorDocument['value'] {
  if (!isJsonObject(value) || !Array.isArray(value['tests'])) return value;
  const tests = value['tests'].map((one) =>
    isJsonObject(one) && typeof one['request'] === 'string' ? { ...one, request: {} } : one,
  );
  return { ...value, tests };
}

function testsIn(file: string): readonly AuthorDocument[] {
  return readDocuments(file, readFileSync(file, 'utf8')).filter(
    ({ value }) => isJsonObject(value) && value['kind'] === 'PolicyTest',
  );
}

const files = [
  ...readdirSync('test/decisions').map((name) => `test/decisions/${name}`),
  ...readdirSync('examples').map((name) => `examples/${name}/test.yaml`),
].filter((file) => existsSync(file) && file.endsWith('.yaml'));

test('the decision tests are what the reference of PolicyTest says', () => {
  const documents = files.flatMap(testsIn);
  expect(documents.length).toBeGreaterThan(15);
  expect(
    documents.flatMap((document) => problemsOf(document).map((problem) => `${document.source} ${problem}`)),
  ).toEqual([]);
});

test('so is the one of the contract', () => {
  expect(testsIn('test/contract/policy-test.yaml').flatMap(problemsOf)).toEqual([]);
});

test('a misspelt field is found', () => {
  const [document] = readDocuments(
    'x.yaml',
    'apiVersion: test.portcullis.dev/v1alpha1\nkind: PolicyTest\nmetadata: {name: x}\npolicies: [p.yaml]\ntests: [{name: a, expect: {desicion: allow}}]\n',
  );
  expect(document && problemsOf(document)).toEqual([
    'missing-field tests[0].expect',
    'unknown-field tests[0].expect.desicion',
  ]);
});
