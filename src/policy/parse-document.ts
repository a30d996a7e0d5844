import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { hasError, type Problem } from '../core/problem.ts';
import { closest } from '../std/closest.ts';
import { createStructureCheck } from './check-structure.ts';
import type { AccessPolicyShape, ClusterAccessPolicyShape, IdentityProviderShape } from './document-shape.ts';
import { metadataFields } from './metadata-fields.ts';
import { createProblemList, quote, type ProblemList } from './problem-list.ts';
import { readFloor } from './read-floor.ts';
import { readMaterial, type Material } from './read-material.ts';
import { readPolicy } from './read-policy.ts';
import { readProvider } from './providers/read-provider.ts';
import { salvagePolicy, type RefusedPolicy } from './salvage-policy.ts';
import { accessPolicySpec, clusterAccessPolicySpec } from './schema/access-policy.ts';
import { identityProviderSpec } from './schema/identity-provider.ts';
import { gatewayGroup, readRoute } from './read-route.ts';
import { specKey, type SpecName } from './spec-name.ts';
import { routeKinds, type AuthorDocument, type RouteSpec, type Spec } from './spec.ts';
import type { Schema } from './schema/json-schema.ts';
import { warnOfSuspicions } from './suspicions/warn-of-suspicions.ts';

export const apiGroup = 'portcullis.dev';
export const apiVersion = 'portcullis.dev/v1alpha1';
const ourKinds = ['AccessPolicy', 'ClusterAccessPolicy', 'IdentityProvider', 'ClusterIdentityProvider'];
const clusterKinds: ReadonlySet<string> = new Set(['ClusterAccessPolicy', 'ClusterIdentityProvider']);

/** What became of one document. `problems` of an accepted one are warnings. */
export type ParsedDocument =
  | { readonly kind: 'accepted'; readonly key: string; readonly spec: Spec; readonly problems: readonly Problem[] }
  | {
      readonly kind: 'refused';
      readonly key: string;
      readonly document: RefusedDocument;
      readonly problems: readonly Problem[];
    }
  | {
      readonly kind: 'material';
      readonly key: string;
      readonly material: Material;
      readonly problems: readonly Problem[];
    }
  /** A route of the Gateway API. */
  | {
      readonly kind: 'route';
      readonly key: string;
      readonly route: RouteSpec;
      readonly problems: readonly Problem[];
    }
  /** Of another product: named and passed over. */
  | { readonly kind: 'passed-over'; readonly what: string; readonly problems: readonly Problem[] }
  /** Nothing says which document it is; `policy` is what it would have governed, where that can be read (S4). */
  | { readonly kind: 'nameless'; readonly policy: RefusedPolicy | undefined; readonly problems: readonly Problem[] };

export interface RefusedDocument extends SpecName {
  readonly kind: string;
  /** What can still be read of a refused policy (S4); undefined for other kinds. */
  readonly policy: RefusedPolicy | undefined;
}

export interface ParseSettings {
  /** The namespace of the Secrets and ConfigMaps of cluster providers. */
  readonly serviceNamespace: string;
}

/** The one parser, wherever a document comes from. Never throws for what an author can write. */
export function parseDocument(document: AuthorDocument, settings: ParseSettings): ParsedDocument {
  const parsed = parseValue(document, settings);
  // What seems to be missing or too much in a text that is not well-formed is an echo of that mistake.
  return hasError(document.problems) ? { ...parsed, problems: document.problems } : parsed;
}

function parseValue(document: AuthorDocument, settings: ParseSettings): ParsedDocument {
  const problems = createProblemList(document);
  const head = readHead(document.value);
  if (head === undefined || head.name === '') {
    const isOurs = head !== undefined && ownershipOf(head, createProblemList(document)) === 'ours';
    if (!problems.hasError())
      problems.error('not-a-document', [], 'the document is not an object with apiVersion, kind and metadata.name');
    const policy = isOurs ? refusedDocument(head, document).policy : undefined;
    return { kind: 'nameless', policy, problems: problems.all };
  }
  const ownership = ownershipOf(head, problems);
  if (ownership === 'material') {
    const key = specKey(head);
    return { kind: 'material', key, material: readMaterial(head, document, problems), problems: problems.all };
  }
  const routeKind = routeKinds.find((kind) => kind === head.kind);
  if (ownership === 'other' && routeKind !== undefined && groupOf(head.apiVersion) === gatewayGroup) {
    const route = readRoute(routeKind, head, document, problems);
    return { kind: 'route', key: specKey(head), route, problems: problems.all };
  }
  if (ownership === 'other') {
    const what = `${head.kind} (${head.apiVersion || 'no apiVersion'})`;
    return { kind: 'passed-over', what, problems: problems.all };
  }
  return parseOurs(document, head, settings, problems);
}

interface Head extends SpecName {
  readonly apiVersion: string;
  /** The kind that is meant. */
  readonly kind: string;
  readonly writtenKind: string;
}

/** The name is empty where there is none, or it is no text. */
function readHead(value: JsonValue): Head | undefined {
  if (!isJsonObject(value)) return undefined;
  const { metadata, kind, apiVersion } = value;
  if (!isJsonObject(metadata) || typeof kind !== 'string') return undefined;
  const namespace = metadata['namespace'] ?? 'default';
  if (typeof namespace !== 'string') return undefined;
  const written = typeof apiVersion === 'string' ? apiVersion : '';
  // A slip in the kind names the same document: what it had in force before stays in force.
  const meant = !ourKinds.includes(kind) && isOurGroup(groupOf(written)) ? (closest(kind, ourKinds) ?? kind) : kind;
  return {
    apiVersion: written,
    kind: meant,
    writtenKind: kind,
    name: typeof metadata['name'] === 'string' ? metadata['name'] : '',
    namespace: clusterKinds.has(meant) ? '' : namespace,
  };
}

function groupOf(written: string): string {
  return written.split('/')[0] ?? '';
}

/** Our group, or a misspelling of it. */
function isOurGroup(group: string): boolean {
  return group === apiGroup || closest(group, [apiGroup]) !== undefined;
}

function ownershipOf(head: Head, problems: ProblemList): 'ours' | 'material' | 'other' {
  const { apiVersion: written, kind, writtenKind } = head;
  if (written === 'v1' && (kind === 'Secret' || kind === 'ConfigMap')) return 'material';
  noteMisspeltMaterial(head, problems);
  const group = groupOf(written);
  if (group === apiGroup) {
    if (kind !== writtenKind || !ourKinds.includes(kind)) {
      const remedy = kind === writtenKind ? `this version knows ${ourKinds.join(', ')}` : `did you mean ${kind}?`;
      problems.error('unknown-version', ['kind'], `${apiGroup} has no kind ${quote(writtenKind)}; ${remedy}`);
    }
    if (written !== apiVersion) {
      problems.error(
        'unknown-version',
        ['apiVersion'],
        `${quote(written)} is not known to this version; write ${apiVersion}`,
      );
    }
    return 'ours';
  }
  // A slip in the group must not make a policy vanish; the groups of other products' kinds have a dot.
  if (ourKinds.includes(kind) && (isOurGroup(group) || !group.includes('.'))) {
    problems.error('unknown-version', ['apiVersion'], `${quote(written)}: did you mean ${apiVersion}?`);
    return 'ours';
  }
  return 'other';
}

/** A key that nobody reads is one that its author believes in. Kinds of the same name of other products have a group. */
function noteMisspeltMaterial({ apiVersion: written, writtenKind: kind }: Head, problems: ProblemList): void {
  if (written.includes('/')) return;
  const meant = closest(kind, ['Secret', 'ConfigMap']);
  if (meant === undefined) return;
  if (meant !== kind) problems.error('unknown-version', ['kind'], `${quote(kind)}: did you mean ${meant}?`);
  else problems.error('unknown-version', ['apiVersion'], `a ${kind} is of apiVersion v1, and not ${quote(written)}`);
}

function parseOurs(
  document: AuthorDocument,
  head: Head,
  settings: ParseSettings,
  problems: ProblemList,
): ParsedDocument {
  const value = isJsonObject(document.value) ? document.value : {};
  const key = specKey(head);
  const isWhole = checkEnvelope(head, value, problems);
  // What is missing below spec because it stands beside it is told already.
  const spec = isWhole ? readSpec(head, value, settings, problems) : undefined;
  if (spec !== undefined && !problems.hasError()) {
    warnOfSuspicions(spec, problems);
    // A copy is as long as it has to be: a list that grew has room for sixteen more.
    return { kind: 'accepted', key, spec, problems: [...problems.all] };
  }
  return { kind: 'refused', key, document: refusedDocument(head, document), problems: problems.all };
}

/** What is left of a document that was refused, here or for what only shows beside others. */
export function refusedDocument(
  head: SpecName & { readonly kind: string },
  { value }: AuthorDocument,
): RefusedDocument {
  const { kind, namespace, name } = head;
  const isPolicy = kind === 'AccessPolicy' || kind === 'ClusterAccessPolicy';
  const policy = isPolicy && isJsonObject(value) ? salvagePolicy(kind, head, value['spec']) : undefined;
  return { kind, namespace, name, policy };
}

const envelope = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];
const objectName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

const specs: Readonly<Record<string, Schema>> = {
  AccessPolicy: accessPolicySpec,
  ClusterAccessPolicy: clusterAccessPolicySpec,
  IdentityProvider: identityProviderSpec,
  ClusterIdentityProvider: identityProviderSpec,
};

/** False where a field of spec stands at the left margin. */
function checkEnvelope(head: Head, value: JsonObject, problems: ProblemList): boolean {
  let isWhole = true;
  for (const field of Object.keys(value)) {
    if (envelope.includes(field)) continue;
    if (Object.hasOwn(specs[head.kind]?.properties ?? {}, field)) {
      isWhole = false;
      problems.error('unknown-field', [field], `${field} belongs under spec: indent it, with all that is below it`);
      continue;
    }
    const guess = closest(field, envelope);
    problems.error(
      'unknown-field',
      [field],
      `the document has no field ${quote(field)}${guess === undefined ? '' : `; did you mean ${guess}?`}`,
    );
  }
  for (const field of isJsonObject(value['metadata']) ? Object.keys(value['metadata']) : []) {
    if (metadataFields.includes(field)) continue;
    const guess = closest(field, metadataFields);
    const remedy = guess === undefined ? '' : `; did you mean ${guess}?`;
    problems.error('unknown-field', ['metadata', field], `metadata has no field ${quote(field)}${remedy}`);
  }
  for (const part of ['name', 'namespace'] as const) {
    if (part === 'namespace' && head.namespace === '') continue;
    if (!objectName.test(head[part])) {
      problems.error(
        'invalid-value',
        ['metadata', part],
        `${quote(head[part])} is no ${part}: lower-case letters, digits, - and .`,
      );
    }
  }
  return isWhole;
}

const checkPolicy = createStructureCheck<AccessPolicyShape>(accessPolicySpec);
const checkFloor = createStructureCheck<ClusterAccessPolicyShape>(clusterAccessPolicySpec);
const checkProvider = createStructureCheck<IdentityProviderShape>(identityProviderSpec);

function readSpec(head: Head, value: JsonObject, settings: ParseSettings, problems: ProblemList): Spec | undefined {
  const spec = Object.hasOwn(value, 'spec') ? value['spec'] : undefined;
  switch (head.kind) {
    case 'AccessPolicy': {
      const shape = checkPolicy(spec, problems);
      return shape && readPolicy(head, shape, problems);
    }
    case 'IdentityProvider':
    case 'ClusterIdentityProvider': {
      const materials = head.namespace === '' ? settings.serviceNamespace : head.namespace;
      const shape = checkProvider(spec, problems);
      return (
        shape &&
        readProvider({ kind: head.kind, namespace: head.namespace, name: head.name, materials }, shape, problems)
      );
    }
    case 'ClusterAccessPolicy': {
      const shape = checkFloor(spec, problems);
      return shape && readFloor(head, shape, problems);
    }
    default:
      // Of our group and of no kind that we know: said so already.
      return undefined;
  }
}
