import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Failure } from '../../../src/core/failure.ts';
import type { Problem } from '../../../src/core/problem.ts';
import type { ValidateSources, ValidationReport } from '../../../src/runtime/validation-report.ts';
import { run, type CliRun } from './cli-fixtures.ts';

function problem(severity: Problem['severity'], line: number): Problem {
  const place = { source: 'policies/orders.yaml', line, column: 5 };
  return {
    code: 'unknown-field',
    severity,
    message: 'There is no field "acess".',
    field: 'spec.rules[0].acess',
    place,
  };
}

const good: ValidationReport = {
  documents: [{ key: 'AccessPolicy shop/orders', source: 'policies/orders.yaml', accepted: true }],
  passedOver: [],
  problems: [],
};
const mixed: ValidationReport = {
  documents: [
    ...good.documents,
    { key: 'AccessPolicy shop/a', source: '-', accepted: true },
    { key: 'AccessPolicy shop/b', source: '-', accepted: true },
    { key: 'AccessPolicy shop/c', source: '-', accepted: false },
  ],
  passedOver: [{ source: 'policies/deploy.yaml', kind: 'apps/v1 Deployment' }],
  problems: [problem('warning', 3), problem('error', 7), problem('warning', 9)],
};

async function validate(args: readonly string[], report: ValidationReport): Promise<CliRun> {
  const validateSources: ValidateSources = () => Promise.resolve(report);
  return run(['validate', ...args], { registry: { validateSources: () => Promise.resolve(validateSources) } });
}

describe('as text', () => {
  test('each problem is a line that an editor can follow, and the last line sums up', async () => {
    expect(await validate(['policies'], mixed)).toEqual({
      exitCode: 1,
      stdout: `policies/orders.yaml:3:5: warning: There is no field "acess". [unknown-field]
policies/orders.yaml:7:5: error: There is no field "acess". [unknown-field]
policies/orders.yaml:9:5: warning: There is no field "acess". [unknown-field]
policies/deploy.yaml: passed over: apps/v1 Deployment
3 documents valid, 1 refused, 2 warnings, 1 passed over
`,
      stderr: '',
    });
  });

  test('an error of a Secret is in the sum, though no document is refused', async () => {
    const { exitCode, stdout } = await validate(['policies'], { ...good, problems: [problem('error', 3)] });
    expect([exitCode, stdout.split('\n').at(-2)]).toEqual([
      1,
      '1 document valid, 0 refused, 1 error beside them, 0 warnings, 0 passed over',
    ]);
  });

  test('where all is well there is only the sum', async () => {
    expect(await validate(['policies'], good)).toEqual({
      exitCode: 0,
      stdout: '1 document valid, 0 refused, 0 warnings, 0 passed over\n',
      stderr: '',
    });
  });
});

describe('the exit code', () => {
  test('warnings alone are 0', async () => {
    expect((await validate(['policies'], { ...good, problems: [problem('warning', 1)] })).exitCode).toBe(0);
  });

  test('an error that belongs to no document is 1', async () => {
    expect((await validate(['policies'], { ...good, problems: [problem('error', 1)] })).exitCode).toBe(1);
  });

  test('a refused document is 1, whatever the problems say', async () => {
    const [document] = good.documents;
    const refused = document === undefined ? [] : [{ ...document, accepted: false }];
    expect((await validate(['policies'], { ...good, documents: refused })).exitCode).toBe(1);
  });
});

test('as JSON and as YAML it is the whole report, with the same exit code', async () => {
  const json = await validate(['policies', '-o', 'json'], mixed);
  const yaml = await validate(['policies', '--output', 'yaml'], mixed);
  expect([json.exitCode, JSON.parse(json.stdout)]).toEqual([1, mixed]);
  expect([yaml.exitCode, parse(yaml.stdout)]).toEqual([1, mixed]);
});

test('files, folders and standard input are handed over in order', async () => {
  const asked: unknown[] = [];
  const validateSources: ValidateSources = async (paths, stdin) => {
    asked.push(...paths, await stdin());
    return good;
  };
  const registry = { validateSources: () => Promise.resolve(validateSources) };
  await run(['validate', 'c', '-f', 'a', '--filename', '-', 'd'], { registry, stdin: 'kind: x' });
  expect(asked).toEqual(['a', '-', 'c', 'd', 'kind: x']);
});

test('a Failure is one line on stderr and exit code 1', async () => {
  const validateSources: ValidateSources = () => Promise.reject(new Failure('broken', 'it broke\nbadly'));
  expect(
    await run(['validate', 'x'], { registry: { validateSources: () => Promise.resolve(validateSources) } }),
  ).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: 'portcullis: it broke badly [broken]\n',
  });
});
