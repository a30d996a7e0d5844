import fc from 'fast-check';
import type { JsonValue } from '../../src/core/json.ts';
import type { HostGrants } from '../../src/policy/check-hosts.ts';
import type { AuthorDocument, SourceReading } from '../../src/policy/spec.ts';

/** Histories of small sets of documents, in which all that can happen to documents happens often. */
export interface History {
  /** Which policies have an age: those of a cluster have, those in files have not. `some`: those that are called r. */
  readonly ages: Ages;
  readonly grants: HostGrants | 'unknown' | undefined;
  readonly steps: readonly Step[];
}

export interface Step {
  readonly changes: readonly SlotChange[];
  readonly unreadable: readonly string[];
}

export type Ages = 'all' | 'none' | 'some';

/** A place in a file, and what stands there from now on. */
interface SlotChange {
  readonly file: string;
  readonly line: number;
  readonly draft: DocumentDraft | undefined;
}

type DocumentDraft =
  | {
      readonly kind: 'AccessPolicy';
      readonly namespace: string;
      readonly name: string;
      readonly hosts: readonly string[];
      /** Where there are some, in the place of hosts. */
      readonly targets: readonly string[];
      readonly mode: string;
      readonly onInvalid: string;
      readonly providers: readonly string[];
      readonly slip: 'none' | 'field' | 'hosts';
      readonly path: string;
      readonly createdAt: number;
      readonly uid: string;
    }
  | {
      readonly kind: 'ClusterIdentityProvider';
      readonly name: string;
      readonly issuer: string;
      readonly isGood: boolean;
    }
  | { readonly kind: 'ClusterAccessPolicy'; readonly isGood: boolean }
  | {
      readonly kind: 'HTTPRoute';
      readonly namespace: string;
      readonly hostnames: readonly string[];
      readonly rules: readonly string[];
    }
  | { readonly kind: 'ConfigMap'; readonly text: string; readonly isGood: boolean }
  | { readonly kind: 'nameless-policy'; readonly namespace: string; readonly hosts: readonly string[] }
  | { readonly kind: 'nameless' | 'ill-formed' };

const patterns = ['x.e', 'y.e', 'deep.x.e', '*.x.e', '*.e', '*', 'z.f'];

export function histories(ages: Ages): fc.Arbitrary<History> {
  const age = fc.integer({ min: 1, max: 3 });
  const policy = fc.record({
    kind: fc.constant('AccessPolicy' as const),
    namespace: fc.constantFrom('a', 'b', 'c'),
    name: fc.constantFrom('p', 'q', 'r'),
    hosts: fc.uniqueArray(fc.constantFrom(...patterns), { minLength: 0, maxLength: 3 }),
    targets: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      {
        weight: 1,
        arbitrary: fc.uniqueArray(fc.constantFrom('route', 'route/one', 'route/two', 'other'), { maxLength: 3 }),
      },
    ),
    mode: fc.constantFrom('Enforce', 'Enforce', 'Shadow'),
    onInvalid: fc.constantFrom('KeepLast', 'KeepLast', 'Deny'),
    providers: fc.uniqueArray(fc.constantFrom('one', 'two'), { maxLength: 2 }),
    slip: fc.constantFrom('none', 'none', 'none', 'field', 'hosts'),
    path: fc.constantFrom('/', '/a'),
    createdAt: age,
    uid: fc.constantFrom('u1', 'u1', 'u1', 'u2'),
  });
  const provider = fc.record({
    kind: fc.constant('ClusterIdentityProvider' as const),
    name: fc.constantFrom('one', 'two'),
    issuer: fc.constantFrom('https://a.example', 'https://b.example'),
    isGood: fc.constantFrom(true, true, false),
  });
  const route = fc.record({
    kind: fc.constant('HTTPRoute' as const),
    namespace: fc.constantFrom('a', 'b'),
    hostnames: fc.uniqueArray(fc.constantFrom(...patterns.filter((pattern) => pattern !== '*')), { maxLength: 2 }),
    rules: fc.uniqueArray(fc.constantFrom('one', 'two'), { maxLength: 2 }),
  });
  const other = fc.oneof(
    fc.record({ kind: fc.constant('ClusterAccessPolicy' as const), isGood: fc.boolean() }),
    fc.record({ kind: fc.constant('ConfigMap' as const), text: fc.constantFrom('1', '2'), isGood: fc.boolean() }),
    fc.record({ kind: fc.constantFrom('nameless' as const, 'ill-formed' as const) }),
    fc.record({
      kind: fc.constant('nameless-policy' as const),
      namespace: fc.constantFrom('a', 'b', 'c'),
      hosts: fc.uniqueArray(fc.constantFrom(...patterns), { minLength: 1, maxLength: 2 }),
    }),
  );
  const draft = fc.oneof(
    { weight: 12, arbitrary: policy },
    { weight: 4, arbitrary: provider },
    { weight: 2, arbitrary: route },
    { weight: 1, arbitrary: other },
    { weight: 4, arbitrary: fc.constant(undefined) },
  );
  const change = fc.record({ file: fc.constantFrom('f1', 'f2'), line: fc.integer({ min: 1, max: 5 }), draft });
  const step = fc.record({
    changes: fc.array(change, { minLength: 1, maxLength: 4 }),
    unreadable: fc.oneof({ weight: 6, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constant(['f1']) }),
  });
  const grants = fc.constantFrom<History['grants'][]>(
    undefined,
    undefined,
    undefined,
    'unknown',
    new Map([
      ['a', ['*.e', '*']],
      ['b', ['x.e']],
    ]),
  );
  return fc.record({ ages: fc.constant(ages), grants, steps: fc.array(step, { minLength: 2, maxLength: 12 }) });
}

/** The readings of a history: documents that did not change stay the same objects. A file that cannot be read has none. */
export function readingsOf({ steps, ages }: History): readonly SourceReading[] {
  const slots = new Map<string, AuthorDocument>();
  let generation = 0;
  return steps.map(({ changes, unreadable }): SourceReading => {
    for (const { file, line, draft } of changes) {
      const slot = `${file} ${line}`;
      if (draft === undefined) slots.delete(slot);
      else slots.set(slot, toDocument(draft, file, line, ages, ++generation));
    }
    const documents = [...slots]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, document]) => document)
      .filter(({ source }) => !unreadable.includes(source));
    return { documents, problems: [], unreadable: new Set(unreadable) };
  });
}

function toDocument(
  draft: DocumentDraft,
  source: string,
  line: number,
  ages: Ages,
  generation: number,
): AuthorDocument {
  const place = { source, line, column: 1 };
  const broken = { code: 'not-yaml', severity: 'error', message: 'broken', field: '', place } as const;
  const document = {
    value: toValue(draft),
    source,
    problems: draft.kind === 'ill-formed' ? [broken] : [],
    placeOf: () => place,
  };
  if (draft.kind !== 'AccessPolicy' || ages === 'none' || (ages === 'some' && draft.name !== 'r')) return document;
  return { ...document, version: { uid: draft.uid, generation, createdAt: draft.createdAt } };
}

function toValue(draft: DocumentDraft): JsonValue {
  const apiVersion = 'portcullis.dev/v1alpha1';
  switch (draft.kind) {
    case 'AccessPolicy':
      return {
        apiVersion,
        kind: draft.kind,
        metadata: { namespace: draft.namespace, name: draft.name },
        spec: policySpec(draft),
      };
    case 'ClusterIdentityProvider': {
      const jwt = { issuer: draft.issuer, [draft.isGood ? 'audiences' : 'audience']: ['api'] };
      return { apiVersion, kind: draft.kind, metadata: { name: draft.name }, spec: { type: 'JWT', jwt } };
    }
    case 'ClusterAccessPolicy': {
      const rules = [{ name: 'r', matches: [{ path: { type: 'PathPrefix', value: '/z' } }], access: 'Denied' }];
      return {
        apiVersion,
        kind: draft.kind,
        metadata: { name: 'floor' },
        spec: draft.isGood ? { rules } : { rulez: rules },
      };
    }
    case 'HTTPRoute': {
      const { namespace, hostnames, rules } = draft;
      return {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: draft.kind,
        metadata: { name: 'route', namespace },
        spec: { hostnames, rules: rules.map((name) => ({ name })) },
      };
    }
    case 'ConfigMap': {
      const metadata = { name: 'c', namespace: 'portcullis' };
      return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: draft.isGood ? { k: draft.text } : [] };
    }
    case 'nameless-policy':
      return {
        apiVersion,
        kind: 'AccessPolicy',
        metadata: { namespace: draft.namespace },
        spec: { hosts: draft.hosts },
      };
    case 'nameless':
    case 'ill-formed':
      return 'text';
  }
}

function policySpec(draft: Extract<DocumentDraft, { readonly kind: 'AccessPolicy' }>): JsonValue {
  const { hosts, targets, mode, onInvalid, providers, slip, path } = draft;
  const rule = {
    name: 'r',
    matches: [{ path: { type: 'PathPrefix', value: path } }],
    access: providers.length === 0 ? 'Public' : 'Authenticated',
    upstream: { headers: [{ name: `x-${draft.name}`, value: 'v' }] },
  };
  const targetRefs = targets.map((target) => {
    const [name = '', sectionName] = target.split('/');
    const ref = { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', name };
    return sectionName === undefined ? ref : { ...ref, sectionName };
  });
  const attached =
    targetRefs.length > 0
      ? { targetRefs }
      : hosts.length === 0
        ? { attachment: 'Named' }
        : { [slip === 'hosts' ? 'hosst' : 'hosts']: hosts };
  const refs = providers.map((name) => ({ kind: 'ClusterIdentityProvider', name }));
  return {
    ...attached,
    mode,
    onInvalid,
    ...(refs.length === 0 ? {} : { authentication: { providers: refs } }),
    rules: [slip === 'field' ? { ...rule, acess: 'Public' } : rule],
  };
}
