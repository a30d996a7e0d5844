import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatProblem } from '../../../src/core/problem.ts';
import { createCatalog, type LiveCatalog, type PreparedCatalog } from '../../../src/engine/catalog.ts';
import type { CatalogEntry } from '../../../src/engine/catalog-entry.ts';
import type { CompiledRule } from '../../../src/engine/compile-policy.ts';
import { diffReadings } from '../../../src/engine/diff-readings.ts';
import type { EntryChanges } from '../../../src/engine/entry-index.ts';
import { coveringPolicies } from '../../../src/engine/policy-group.ts';
import type { PolicyPart } from '../../../src/engine/policy-part.ts';
import type { BySection } from '../../../src/engine/route-table.ts';
import { createPolicyCompiler } from '../../../src/engine/policy-compiler.ts';
import { buildSnapshot, type Snapshot } from '../../../src/engine/snapshot.ts';
import { ownHeaders } from '../../../src/phases/response/compile-upstream.ts';
import { areGranted, grantedTo } from '../../../src/policy/check-hosts.ts';
import { parseDocument, type ParsedDocument } from '../../../src/policy/parse-document.ts';
import { widerPatterns } from '../../../src/policy/read-host.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { runAtOnce } from '../../../src/std/steps.ts';
import { clusterDocuments } from '../../support/cluster-document.ts';
import { histories, readingsOf, type History } from '../../support/history.ts';
import { judgeWhole, type Entries } from '../../support/whole-catalog.ts';

/** One parse of each document, so that both sides hold the same. */
function createParser(): (document: AuthorDocument) => ParsedDocument {
  const known = new Map<AuthorDocument, ParsedDocument>();
  return (document) => {
    const parsed = known.get(document) ?? parseDocument(document, { serviceNamespace: 'portcullis' });
    known.set(document, parsed);
    return parsed;
  };
}

function tell(entry: CatalogEntry): unknown {
  const { versions, problems, holds, ...rest } = entry;
  return {
    ...rest,
    versions: versions.map(({ document }) => document.placeOf([])),
    problems: problems.map(formatProblem),
    holds: [...holds].sort(),
  };
}

function tellAll(entries: Entries): unknown {
  return Object.fromEntries(
    [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, tell(entry)]),
  );
}

const noProviders = new Map<string, never>();
const settings = { ownedHeaders: ownHeaders(['x-operator']), grants: undefined };

/** A snapshot that is kept up to date by changes of entries. */
function createServing(catalog: LiveCatalog): { commit(changes: EntryChanges, routes: Iterable<string>): Snapshot } {
  const compiler = createPolicyCompiler();
  let snapshot: Snapshot | undefined;
  return {
    commit: (changes, routes) => {
      const prepared = runAtOnce(compiler.prepare(changes.keys(), (key) => catalog.entries.get(key), noProviders));
      snapshot = runAtOnce(
        buildSnapshot(
          snapshot,
          { policies: prepared.changes, routes: new Set(routes), routeOf: (key) => catalog.routes.get(key) },
          settings,
        ),
      );
      prepared.commit();
      return snapshot;
    },
  };
}

function tellPart({ policies, refusedBy }: PolicyPart): unknown {
  return [policies.map(({ id }) => id).sort(), refusedBy];
}

function tellRoute([route, parts]: readonly [string, BySection<PolicyPart>]): string {
  const ofRules = [...parts].map(([section, part]) => JSON.stringify([section, tellPart(part)]));
  return JSON.stringify([route, ofRules.sort()]);
}

/** What decisions read, as data. */
function tellSnapshot(snapshot: Snapshot): unknown {
  const { attachments, floors, shadowFloors } = snapshot;
  const { hosts, named, routes, reservations, shadowTable } = attachments;
  const groups = [...hosts.exact.values(), ...hosts.below.values()].map(({ pattern, group }) => [
    pattern,
    group.nearest.map((policy) => JSON.stringify(policy)).sort(),
    coveringPolicies(group).map(({ id }) => id),
    group.refusedBy,
  ]);
  const shadows = [...shadowTable.byPattern].map(([pattern, list]) => [pattern, list.map(({ id }) => id).sort()]);
  return {
    groups: groups.map((group) => JSON.stringify(group)).sort(),
    named: [...named.keys()].sort(),
    routes: [...routes].map(tellRoute).sort(),
    reserved: [reservations, shadowTable.reservations].map(({ byPattern }) =>
      [...byPattern].map((one) => JSON.stringify(one)).sort(),
    ),
    shadowRoutes: [...shadowTable.byRoute]
      .map(([route, sections]) =>
        [route, ...[...sections].flatMap(([section, list]) => list.map(({ id }) => `${id} ${section}`)).sort()].join(),
      )
      .sort(),
    shadows: [...shadows, ...shadowTable.byName.keys()].map((shadow) => JSON.stringify(shadow)).sort(),
    floors: [floors, shadowFloors].map((list) => JSON.stringify(list)),
    owned: ['a', 'b', 'c'].map((namespace) => [...snapshot.ownedBy(namespace).names].sort()),
  };
}

/** S10: a host has one owner, so that no two namespaces allow on it. */
function expectOneOwner({ attachments: { hosts } }: Snapshot): void {
  for (const { group } of [...hosts.exact.values(), ...hosts.below.values()]) {
    const allowing = group.nearest.filter(({ rules, refusesAll }) => !refusesAll && rules.some(isAllowing));
    expect(new Set(allowing.map(({ namespace }) => namespace)).size).toBeLessThan(2);
    // Nor does one restrict on a host of another.
    if (allowing.length > 0) expect(new Set(coveringPolicies(group).map(({ namespace }) => namespace)).size).toBe(1);
  }
}

/** S10: a policy in shadow mode is judged on no host that another namespace has. */
function expectOwnShadows({ attachments: { hosts, shadowTable } }: Snapshot, { grants, ages }: History): void {
  const governing = new Map([...hosts.exact.values(), ...hosts.below.values()].map((entry) => [entry.pattern, entry]));
  for (const [pattern, list] of shadowTable.byPattern) {
    const namespaces = new Set(list.map(({ namespace }) => namespace));
    if (areGranted(grants)) expect(grantedTo(grants, pattern)).toEqual(expect.arrayContaining([...namespaces]));
    if (grants !== undefined || ages === 'some') continue;
    const nearest = [pattern, ...widerPatterns(pattern)].flatMap((wide) => governing.get(wide) ?? [])[0];
    if (nearest !== undefined) expect(nearest.part.namespaces).toEqual(namespaces);
  }
}

function isAllowing({ rule }: { readonly rule: CompiledRule }): boolean {
  return rule.access !== 'Refused';
}

function replay(history: History): void {
  const parse = createParser();
  const catalog = createCatalog({ grants: history.grants, parse });
  const serving = createServing(catalog);
  let whole: Entries = new Map();
  let before: readonly AuthorDocument[] = [];
  for (const reading of readingsOf(history)) {
    const prepared = runAtOnce(catalog.prepare(diffReadings(before, reading)));
    prepared.commit();
    before = reading.documents;
    whole = judgeWhole(whole, reading, parse, history.grants);
    expect(tellAll(catalog.entries)).toEqual(tellAll(whole));
    const fresh = createServing(catalog).commit(catalog.entries, catalog.routes.keys());
    const snapshot = serving.commit(prepared.entries, prepared.changedRoutes);
    expect(tellSnapshot(snapshot)).toEqual(tellSnapshot(fresh));
    if (history.grants === undefined && history.ages !== 'some') expectOneOwner(snapshot);
    expectOwnShadows(snapshot, history);
  }
}

test('a change of one policy among many parses, judges and compiles that one', () => {
  let parsed = 0;
  const parse = (document: AuthorDocument): ParsedDocument => {
    parsed += 1;
    return parseDocument(document, { serviceNamespace: 'portcullis' });
  };
  const catalog = createCatalog({ grants: undefined, parse });
  const serving = createServing(catalog);
  const policyOf = (index: number, path: string): readonly AuthorDocument[] =>
    clusterDocuments(
      `apiVersion: portcullis.dev/v1alpha1\nkind: AccessPolicy\nmetadata: {name: p${index}, namespace: n${index % 5}}\n` +
        `spec: {hosts: [h${index % 100}.example], rules: [{name: r, access: Public, matches: [{path: {type: Exact, value: ${path}}}]}]}`,
    );
  const take = (added: readonly AuthorDocument[], removed: readonly AuthorDocument[]): PreparedCatalog => {
    const change = { added, removed, problems: [], unreadable: new Set<string>() };
    const prepared = runAtOnce(catalog.prepare(change));
    prepared.commit();
    return prepared;
  };
  const all = Array.from({ length: 300 }, (_, index) => policyOf(index, '/old'));
  const first = serving.commit(take(all.flat(), []).entries, []);
  parsed = 0;
  const prepared = take(policyOf(7, '/new'), all[7] ?? []);
  expect([parsed, ...prepared.entries.keys()]).toEqual([1, 'AccessPolicy n2/p7']);
  const next = serving.commit(prepared.entries, []);
  const changed = [...next.attachments.hosts.exact].filter(
    ([host, entry]) => first.attachments.hosts.exact.get(host) !== entry,
  );
  expect(changed.map(([host]) => host)).toEqual(['h7.example']);
});

describe('a catalog that takes in changes is the one that judges everything anew, whatever happens', () => {
  test.each(['none', 'all', 'some'] as const)(
    'where %s of the documents have an age',
    (ages) => fc.assert(fc.property(histories(ages), replay), { seed: 20_260_601, numRuns: 200 }),
    60_000,
  );
});
