import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldPath } from '../../../src/canonical/path.ts';
import { createRouteIndex, joinIndexes, type RouteIndex } from '../../../src/engine/route-index.ts';
import type { MatchSpec } from '../../../src/policy/spec.ts';

interface TestPolicy {
  readonly rules: readonly { readonly rule: string; readonly matches: readonly MatchSpec[] }[];
}

const values = ['/', '/a', '/A', '/a/', '/a/b', '/a/b/c', '/a%2Fb', '/b'];
const expressions = ['/.*', '/a.*', '/a/[bc]', '/A/b.*', '/a/b|/b'];
const paths = ['/', '/a', '/a/b', '/A/B', '/a/b/c/d', '/a%2Fb', '/ab', '/b/', '/c'];

const path: fc.Arbitrary<MatchSpec['path']> = fc.oneof(
  fc.record({ type: fc.constantFrom('Exact' as const, 'PathPrefix' as const), value: fc.constantFrom(...values) }),
  fc.record({ type: fc.constant('RegularExpression' as const), value: fc.constantFrom(...expressions) }),
);
const match: fc.Arbitrary<MatchSpec> = path.map((one) => ({
  path: one,
  methods: undefined,
  headers: [],
  queryParams: [],
}));

/** Policies, and the places that each is attached at. */
const attached = fc.array(
  fc.record({
    rules: fc.array(fc.array(match, { minLength: 1, maxLength: 3 }), { maxLength: 3 }),
    places: fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 2 }),
  }),
  { maxLength: 6 },
);

const indexOf = (policies: readonly TestPolicy[]): RouteIndex<string> =>
  createRouteIndex(policies.flatMap(({ rules }) => rules));

function tell(index: RouteIndex<string>, asked: string): readonly string[] {
  return index
    .find(asked, foldPath(asked))
    .candidates()
    .map(({ rule, match: { rank, spec }, isExact }) => JSON.stringify([rule, spec.path, rank, isExact]));
}

test('S5, S6 parts that are asked together find what one index of all their policies finds, in its order and once', () => {
  fc.assert(
    fc.property(attached, fc.boolean(), (drawn, isOverlapping) => {
      const policies = drawn.map(({ rules, places }, number) => ({
        // A match that a rule says twice is found twice in one index, and once where it is looked for copies.
        rules: rules.map((matches, index) => ({
          rule: `p${number} r${index}`,
          matches: [...new Map(matches.map((one) => [JSON.stringify(one), one])).values()],
        })),
        places: isOverlapping ? places : places.slice(0, 1),
      }));
      const parts = [0, 1, 2, 3].map((place) => policies.filter(({ places }) => places.includes(place)));
      const joined = joinIndexes(parts.map(indexOf), !isOverlapping);
      const merged = indexOf([...new Set(parts.flat())]);
      for (const asked of paths) {
        expect(tell(joined, asked)).toEqual(tell(merged, asked));
        const [sum, whole] = [joined, merged].map((index) => index.find(asked, foldPath(asked)));
        if (!isOverlapping) expect([sum?.characters, sum?.tests]).toEqual([whole?.characters, whole?.tests]);
      }
    }),
    { numRuns: 500 },
  );
});
