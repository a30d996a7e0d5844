import type { Problem } from '../core/problem.ts';
import { membersOf, readCatalog } from '../engine/catalog.ts';
import { warnOfYamlBooleans } from '../files/warn-of-yaml-booleans.ts';
import { isNameless } from '../engine/claims.ts';
import { catalogProviders } from '../engine/inspect-token.ts';
import type { FindProvider } from '../policy/check-providers.ts';
import type { GrantSetting } from '../policy/check-hosts.ts';
import { parseDocument, type ParsedDocument } from '../policy/parse-document.ts';
import { specKey } from '../policy/spec-name.ts';
import type { AuthorDocument, RouteSpec } from '../policy/spec.ts';
import { unknownUserWarnings } from '../policy/suspicions/unknown-users.ts';
import { wideningWarnings } from '../policy/suspicions/widening-hosts.ts';
import { findUnusable } from './find-unusable.ts';
import { warnOfReferences } from './warn-of-references.ts';
import { warnOfSizes } from './warn-of-sizes.ts';
import { readSources } from './read-sources.ts';
import { suggestProviders } from '../policy/suggest-providers.ts';
import type { PassedOverDocument, ValidateSources, ValidationReport } from './validation-report.ts';

/** Judges documents as `serve` would that has these grants; what they refer to and cannot be found is a warning. */
export const validateSources: ValidateSources = async (paths, stdin, grants) => {
  const { documents, problems } = await readSources(paths, stdin, warnOfYamlBooleans);
  return judge(documents, problems, grants ?? 'unknown', await findUnusable(documents));
};

const serviceNamespace = 'portcullis';

function judge(
  documents: readonly AuthorDocument[],
  readProblems: readonly Problem[],
  grants: GrantSetting,
  unusable: ReadonlyMap<string, string>,
): ValidationReport {
  const parsed = new Map<AuthorDocument, ParsedDocument>();
  const parse = (document: AuthorDocument): ParsedDocument => {
    const known = parsed.get(document) ?? parseDocument(document, { serviceNamespace });
    parsed.set(document, known);
    return known;
  };
  const reading = { documents, problems: [], unreadable: new Set<string>() };
  const catalog = readCatalog(reading, { grants, parse });
  const entries = [...catalog.entries.values()].filter((entry) => !isNameless(entry));
  const providers = catalogProviders(catalog);
  const documentOf = new Map(
    [...parsed].flatMap(([document, result]) =>
      result.kind === 'material' ? [[result.material, document] as const] : [],
    ),
  );
  const warnings = [...parsed].flatMap(([document, result]) => {
    const all = [
      ...warnOfReferences(document, result, catalog.materials, unusable, (secret) => documentOf.get(secret)),
      ...warnOfSizes(document, result, catalog.materials.values(), (secret) => documentOf.get(secret)),
      ...missingRoutes(document, result, catalog.routes),
      ...unknownUsers(document, result, (key) => providers.get(key)),
      ...(grants === 'unknown' ? ungrantedHosts(document, result) : []),
    ];
    return result.kind === 'accepted' ? all.map(ofDocument(specKey(result.spec))) : all;
  });
  for (const [key, widening] of wideningWarnings(membersOf(catalog))) warnings.push(...widening.map(ofDocument(key)));
  const passedOver = [...parsed].flatMap(([{ source }, result]): PassedOverDocument[] =>
    result.kind === 'passed-over' ? [{ source, kind: result.what }] : [],
  );
  return {
    documents: entries.flatMap((entry) =>
      entry.versions.map(({ document: { source } }) => ({
        key: entry.key,
        source,
        accepted: entry.refused === undefined,
      })),
    ),
    passedOver,
    problems: sortByPlace([
      ...readProblems,
      ...catalog.problems,
      ...entries.flatMap((entry) =>
        suggestProviders(entry.problems, catalog.entries.keys())
          .map(sayHowToGive(entry.problems))
          .map(ofDocument(entry.key)),
      ),
      ...warnings,
    ]),
  };
}

/** Who pipes a text in has no lines to look at: its problems name the document. */
function ofDocument(document: string): (problem: Problem) => Problem {
  return (problem) => (problem.place.source === '-' ? { ...problem, document } : problem);
}

/** The provider of a policy may be in the cluster and not among the documents; nobody guesses what is in it (as `serve` of a folder would not). */
function sayHowToGive(before: readonly Problem[]): (problem: Problem, index: number) => Problem {
  const how =
    'give its document too (--filename may be repeated), of a cluster with kubectl get identityproviders,clusteridentityproviders --all-namespaces --output yaml';
  return (problem, index) =>
    problem.reference === undefined || problem.message !== before[index]?.message
      ? problem
      : { ...problem, message: `${problem.message}; ${how}` };
}

function unknownUsers(document: AuthorDocument, parsed: ParsedDocument, find: FindProvider): readonly Problem[] {
  return parsed.kind === 'accepted' && parsed.spec.kind === 'AccessPolicy'
    ? unknownUserWarnings(document, parsed.spec, find)
    : [];
}

/** Whether the operator grants `*` is not told by the documents. */
function ungrantedHosts(document: AuthorDocument, parsed: ParsedDocument): Problem[] {
  if (parsed.kind !== 'accepted' || parsed.spec.kind !== 'AccessPolicy' || !parsed.spec.hosts.includes('*')) return [];
  const message = `the host * is refused unless the operator grants it: --host-grant '${parsed.spec.namespace}=*'`;
  return [
    {
      code: 'host-not-granted',
      severity: 'warning',
      message,
      field: 'spec.hosts',
      place: document.placeOf(['spec', 'hosts']),
    },
  ];
}

/** A route stands in the cluster, and may come from elsewhere. */
function missingRoutes(
  document: AuthorDocument,
  parsed: ParsedDocument,
  routes: ReadonlyMap<string, RouteSpec>,
): Problem[] {
  if (parsed.kind !== 'accepted' || parsed.spec.kind !== 'AccessPolicy') return [];
  const { namespace, targets } = parsed.spec;
  return targets.flatMap(({ kind, name, section }, index): Problem[] => {
    const route = routes.get(specKey({ kind, namespace, name }));
    if (route !== undefined && (section === '' || route.sections.includes(section))) return [];
    const what = route === undefined ? 'is not among the documents' : `has no rule named ${section}`;
    const at = ['spec', 'targetRefs', index];
    const message = `the ${kind} ${namespace}/${name} ${what}: the policy decides the checks whose proxy names it, and no other`;
    const field = `spec.targetRefs[${index}]`;
    return [{ code: 'missing-reference', severity: 'warning', message, field, place: document.placeOf(at) }];
  });
}

function sortByPlace(problems: readonly Problem[]): Problem[] {
  return problems.toSorted(
    (a, b) =>
      a.place.source.localeCompare(b.place.source) ||
      (a.place.line ?? 0) - (b.place.line ?? 0) ||
      (a.place.column ?? 0) - (b.place.column ?? 0),
  );
}
