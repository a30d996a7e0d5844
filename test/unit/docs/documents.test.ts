import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatProblem, type Problem } from '../../../src/core/problem.ts';
import { validateSources } from '../../../src/runtime/validate.ts';
import { documentsIn } from '../../support/documents-in.ts';

const pages = [
  'README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

describe.each(pages.filter((page) => documentsIn(page) !== ''))('the documents of %s', (page) => {
  test('are valid together', async () => {
    const report = await validateSources(['-'], () => Promise.resolve(documentsIn(page)));
    // Keys and certificates of a page are cut short, and Secrets of clients made by a command. The guide of client certificates shows sources that
    // are believed, and says what for.
    const isMeant = ({ code, field }: Problem): boolean =>
      code === 'unusable-reference' ||
      field.endsWith('.secretSelector') ||
      (code === 'believed-names' && page === 'docs/client-certificates.md');
    expect(report.problems.filter((problem) => !isMeant(problem)).map(formatProblem)).toEqual([]);
    expect(report.documents.length).toBeGreaterThan(1);
    expect(report.documents.filter(({ accepted }) => !accepted)).toEqual([]);
  });
});

const examples = readdirSync('examples').filter((name) => statSync(`examples/${name}`).isDirectory());

test.each(examples)('examples/%s is valid', async (name) => {
  const report = await validateSources([`examples/${name}`], () => Promise.resolve(''));
  expect(report.problems.filter(({ severity }) => severity === 'error').map(formatProblem)).toEqual([]);
  expect(report.documents.length).toBeGreaterThan(0);
});

test('the examples are valid together', async () => {
  const report = await validateSources(['examples'], () => Promise.resolve(''));
  // Rules that hold each other are meant in api-versions; a warning of it is right.
  const isMeant = (code: string): boolean => code === 'rule-shadowed' || code === 'unusable-reference';
  expect(report.problems.filter(({ code }) => !isMeant(code)).map(formatProblem)).toEqual([]);
  expect(report.documents.filter(({ accepted }) => !accepted)).toEqual([]);
});

test('every example is in the index, and has decision cases but for the one that the demonstration runs', () => {
  const index = readFileSync('examples/README.md', 'utf8');
  expect(examples.filter((name) => !index.includes(`](${name})`))).toEqual([]);
  expect(examples.filter((name) => !existsSync(`examples/${name}/test.yaml`))).toEqual(['quickstart']);
});

const guides = ['examples/README.md', ...examples.map((name) => `examples/${name}/README.md`)];

test.each([...pages, ...guides])('every file that %s links to is there', (page) => {
  for (const [, link = ''] of readFileSync(page, 'utf8').matchAll(/\]\((?!http|#)([^)#]+)/g)) {
    expect([link, existsSync(join(dirname(page), link))]).toEqual([link, true]);
  }
});

/** Every file below that a user reads. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

test('no command that we name can fetch a program by its name from a public registry', () => {
  const told = [
    'README.md',
    'SECURITY.md',
    'package.json',
    ...['docs', 'examples', 'deploy', 'src'].flatMap(filesBelow),
  ];
  const fetching = /\bnpx\b|npm (?:exec|x)\b|\b(?:pnpm|yarn) dlx\b|\bbunx\b/;
  expect(told.length).toBeGreaterThan(100);
  expect(told.filter((file) => fetching.test(readFileSync(file, 'utf8')))).toEqual([]);
});

test('docs/semantics.md has a test for every rule that it names', () => {
  const rules = [...readFileSync('docs/semantics.md', 'utf8').matchAll(/\*\*(S\d+)\*\*/g)].map(([, rule]) => rule);
  const tests = ['test/decisions', 'test/unit/policy', 'test/unit/engine', 'test/unit/identity', 'test/integration']
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => /\.(ts|yaml)$/.test(name))
        .map((name) => readFileSync(`${folder}/${name}`, 'utf8')),
    )
    .join('\n');
  expect(rules.length).toBeGreaterThan(20);
  expect(rules.filter((rule) => !new RegExp(`(name: "?|'|\`)${rule}[ ,]`).test(tests))).toEqual([]);
});
