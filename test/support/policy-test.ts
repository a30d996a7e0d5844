import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { formatProblem } from '../../src/core/problem.ts';
import { readDocuments } from '../../src/files/read-documents.ts';
import { isPolicyTest, parsePolicyTest } from '../../src/policy-test/parse-policy-test.ts';
import type { PolicyTest as ParsedPolicyTest } from '../../src/policy-test/policy-test.ts';
import type { AuthorDocument } from '../../src/policy/spec.ts';

/** A PolicyTest with the documents that it names. */
export interface PolicyTest extends ParsedPolicyTest {
  readonly documents: readonly AuthorDocument[];
}

/** Reads the PolicyTest of a file; `policies` may name the file itself, whose other documents then are the policies. */
export function readPolicyTest(file: string): PolicyTest {
  const read = readDocuments(file, readFileSync(file, 'utf8'));
  const [problem] = read.flatMap(({ problems }) => problems);
  if (problem !== undefined) throw new Error(formatProblem(problem));
  const document = read.find(isPolicyTest);
  if (document === undefined) throw new Error(`${file} holds no PolicyTest`);
  const parsed = parsePolicyTest(document);
  if ('problems' in parsed) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  const documents = parsed.test.policies.flatMap((name) => {
    const path = join(dirname(file), name);
    return readDocuments(path, readFileSync(path, 'utf8')).filter((one) => !isPolicyTest(one));
  });
  return { ...parsed.test, documents };
}

/** For tests that write documents inline. */
export function documentsOf(yaml: string, source = 'inline.yaml'): readonly AuthorDocument[] {
  return readDocuments(source, yaml);
}
