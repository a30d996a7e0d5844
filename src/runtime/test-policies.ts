import { glob, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { Failure, messageOf } from '../core/failure.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { formatProblem } from '../core/problem.ts';
import { isPolicyTest, parsePolicyTest } from '../policy-test/parse-policy-test.ts';
import type { PolicyTest } from '../policy-test/policy-test.ts';
import { createPasswordThreads } from '../passwords/password-threads.ts';
import { runPolicyTest, type TestPorts } from '../policy-test/run-policy-test.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import type { PolicyTestOutcome, TestPolicies } from './policy-test-report.ts';
import { readSourcesOrFail } from './read-sources.ts';
import { systemRandom, systemTimers } from './system-ports.ts';

export const testPolicies: TestPolicies = async (paths, stdin) => {
  const { documents } = await readSourcesOrFail(paths, stdin);
  const tests = documents.filter(isPolicyTest);
  if (tests.length === 0) throw unusable([`${paths.join(', ')}: there is no PolicyTest`]);
  const parsed = tests.map((document) => ({ document, result: parsePolicyTest(document) }));
  const mistakes = parsed.flatMap(({ result }) => ('problems' in result ? result.problems.map(formatProblem) : []));
  if (mistakes.length > 0) throw unusable(mistakes);
  const outcomes: PolicyTestOutcome[] = [];
  const passwords = createPasswordThreads({ threads: 1 });
  try {
    const ports = { timers: systemTimers, random: systemRandom, passwords };
    for (const { document, result } of parsed) {
      if ('test' in result) outcomes.push(await runOne(result.test, document, stdin, ports));
    }
  } finally {
    passwords.close();
  }
  const cases = outcomes.flatMap((outcome) => outcome.cases);
  const failed = cases.filter(({ differences }) => differences.length > 0).length;
  return { tests: outcomes, passed: cases.length - failed, failed };
};

function unusable(lines: readonly string[]): Failure {
  return new Failure('tests_unusable', lines.join('\n'));
}

async function runOne(
  test: PolicyTest,
  document: AuthorDocument,
  stdin: () => Promise<string>,
  ports: TestPorts,
): Promise<PolicyTestOutcome> {
  const { source } = document;
  try {
    const policies = await readPolicies(test, source, stdin);
    const checks = await readChecks(test, source);
    return { source, name: test.name, ...(await runPolicyTest(test, policies, checks, ports)) };
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    throw unusable([`${source}: ${test.name}: ${thrown.message}`]);
  }
}

/** A path beside the file of the test. */
function beside(source: string, path: string): string {
  return isAbsolute(path) || source === '-' ? path : join(dirname(source), path);
}

/** The documents that the test names; the tests among them are none of the policies. */
async function readPolicies(
  { policies }: PolicyTest,
  source: string,
  stdin: () => Promise<string>,
): Promise<readonly AuthorDocument[]> {
  const paths = new Set<string>();
  for (const written of policies) for (const path of await expand(beside(source, written))) paths.add(path);
  const { documents } = await readSourcesOrFail([...paths], stdin);
  return documents.filter((document) => !isPolicyTest(document));
}

async function expand(path: string): Promise<readonly string[]> {
  if (!/[*?[{]/.test(path)) return [path];
  const found: string[] = [];
  for await (const name of glob(path)) found.push(name);
  found.sort();
  if (found.length === 0) throw new Failure('policies_unreadable', `${path}: no file is called so`);
  return found;
}

async function readChecks({ cases }: PolicyTest, source: string): Promise<ReadonlyMap<string, JsonObject>> {
  const checks = new Map<string, JsonObject>();
  for (const { checkFile } of cases) {
    if (checkFile !== undefined) checks.set(checkFile, await readCheck(beside(source, checkFile)));
  }
  return checks;
}

async function readCheck(path: string): Promise<JsonObject> {
  let value: JsonValue;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (thrown) {
    throw new Failure('check_unreadable', `${path}: it cannot be read as JSON: ${messageOf(thrown)}`);
  }
  if (!isJsonObject(value)) throw new Failure('check_unreadable', `${path}: it is not a JSON object`);
  return value;
}
