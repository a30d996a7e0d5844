import { readFileSync } from 'node:fs';
import { getConformanceSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { describe, expect, test } from 'vitest';
import { runConformance, testsOf } from './run-conformance.ts';

/** What differs, by reason: for each section the names of its tests, or `*` for all of them. */
interface KnownDifferences {
  readonly reasons: readonly {
    readonly reason: string;
    readonly sections: Readonly<Record<string, '*' | readonly string[]>>;
  }[];
}

const known = JSON.parse(
  readFileSync(new URL('known-differences.json', import.meta.url), 'utf8'),
) as unknown as KnownDifferences;
const tests = testsOf(getConformanceSuite());

/** Every known difference as the id of its test, with how often it is listed. */
function listed(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { sections } of known.reasons) {
    for (const [section, names] of Object.entries(sections)) {
      const ids = names === '*' ? idsOf(section) : names.map((name) => `${section}/${name}`);
      for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  return counts;
}

function idsOf(section: string): readonly string[] {
  return tests.filter(({ id }) => id.startsWith(`${section}/`)).map(({ id }) => id);
}

describe('the official conformance tests of CEL', () => {
  const differing = new Map(
    tests.flatMap(({ id, test: { original, ...rest } }) => {
      const how = runConformance({ original, ...rest });
      return how === undefined ? [] : [[id, `${original.expr}: ${how}`] as const];
    }),
  );
  const expected = listed();

  test('are all there', () => {
    expect(tests.length).toBeGreaterThan(2300);
  });

  test('differ in nothing that is not listed', () => {
    expect([...differing].filter(([id]) => !expected.has(id))).toEqual([]);
  });

  test('differ in everything that is listed, once', () => {
    expect([...expected].filter(([id, count]) => !differing.has(id) || count !== 1)).toEqual([]);
  });
});
