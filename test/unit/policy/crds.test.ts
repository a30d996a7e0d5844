import { describe, expect, test } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts';
import { createCrds } from '../../../src/policy/schema/crds.ts';

/** What a real API server says of them is in test/integration/kubernetes; here are the rules that it does not hold. */
interface Node {
  readonly path: string;
  readonly schema: JsonObject;
}

function at(value: JsonValue | undefined, ...path: readonly (string | number)[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((found, part) => {
    if (Array.isArray(found)) return (found as readonly JsonValue[])[Number(part)];
    return isJsonObject(found) ? found[part] : undefined;
  }, value);
}

function objectAt(value: JsonValue | undefined, ...path: readonly (string | number)[]): JsonObject {
  const found = at(value, ...path);
  return isJsonObject(found) ? found : {};
}

/** Every place of a schema, the elements of lists and the values of maps included. */
function nodesOf({ path, schema }: Node): readonly Node[] {
  const below: Node[] = Object.entries(objectAt(schema, 'properties')).map(([name, property]) => ({
    path: `${path}.${name}`,
    schema: isJsonObject(property) ? property : {},
  }));
  if (isJsonObject(schema['items'])) below.push({ path: `${path}[]`, schema: schema['items'] });
  if (isJsonObject(schema['additionalProperties']))
    below.push({ path: `${path}.*`, schema: schema['additionalProperties'] });
  return [{ path, schema }, ...below.flatMap(nodesOf)];
}

const crds = createCrds().map((crd) => {
  const schema = objectAt(crd, 'spec', 'versions', 0, 'schema', 'openAPIV3Schema');
  const part = (name: 'spec' | 'status'): readonly Node[] =>
    nodesOf({ path: name, schema: objectAt(schema, 'properties', name) });
  return { crd, kind: at(crd, 'spec', 'names', 'kind') as string, spec: part('spec'), status: part('status') };
});
const kindNamed = (name: string): (typeof crds)[number] => {
  const found = crds.find(({ kind }) => kind === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};
const pathsOf = (nodes: readonly Node[], holds: (schema: JsonObject) => boolean): readonly string[] =>
  nodes.filter(({ schema }) => holds(schema)).map(({ path }) => path);

/** All that apiextensions.k8s.io/v1 allows and we use: no `oneOf`, no `$ref`, no `uniqueItems`. */
const words: ReadonlySet<string> = new Set([
  'additionalProperties',
  'default',
  'description',
  'enum',
  'format',
  'items',
  'maximum',
  'maxItems',
  'maxLength',
  'maxProperties',
  'minimum',
  'minItems',
  'minLength',
  'minProperties',
  'nullable',
  'pattern',
  'properties',
  'required',
  'type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]);

test('there is one for each kind, with names that nothing else has', () => {
  const names = crds.map(({ crd }) => [
    at(crd, 'metadata', 'name'),
    at(crd, 'spec', 'scope'),
    ...((at(crd, 'spec', 'names', 'shortNames') ?? []) as readonly string[]),
  ]);
  expect(names).toEqual([
    ['accesspolicies.portcullis.dev', 'Namespaced', 'acpol'],
    ['clusteraccesspolicies.portcullis.dev', 'Cluster', 'cacpol'],
    ['identityproviders.portcullis.dev', 'Namespaced', 'idp'],
    ['clusteridentityproviders.portcullis.dev', 'Cluster', 'cidp'],
  ]);
  for (const { crd } of crds) {
    expect(at(crd, 'spec', 'names', 'categories')).toEqual(['portcullis']);
    expect(at(crd, 'spec', 'versions', 0, 'subresources')).toEqual({ status: {} });
  }
});

test.each(['AccessPolicy', 'ClusterAccessPolicy'])('%s has the columns of the contract', (kind) => {
  const columns = at(kindNamed(kind).crd, 'spec', 'versions', 0, 'additionalPrinterColumns') as readonly JsonObject[];
  const shown = (priority: number | undefined): readonly JsonValue[] =>
    columns.filter((column) => column['priority'] === priority).map((column) => column['name'] ?? '');
  expect([shown(undefined), shown(1)]).toEqual([
    ['Accepted', 'Programmed', 'Reason', 'Targets', 'Rules', 'Age'],
    ['Mode', 'Replicas'],
  ]);
});

test.each(['IdentityProvider', 'ClusterIdentityProvider'])('%s has a column for whether its keys are there', (kind) => {
  const columns = at(kindNamed(kind).crd, 'spec', 'versions', 0, 'additionalPrinterColumns') as readonly JsonObject[];
  expect(columns.flatMap(({ name, priority }) => (priority === undefined ? [name] : []))).toEqual([
    'Accepted',
    'Programmed',
    'Reason',
    'Type',
    'KeysLoaded',
    'Keys',
    'Age',
  ]);
});

describe.each(crds)('the CRD of $kind', ({ crd, spec, status }) => {
  const all = [...spec, ...status];

  test('is below 256 KB', () => {
    expect(JSON.stringify(crd).length).toBeLessThan(256 * 1024);
  });

  test('is structural: every place has a type and a meaning, and no word that structural schemas lack', () => {
    expect(
      pathsOf(all, ({ type, description }) => typeof type !== 'string' || typeof description !== 'string'),
    ).toEqual([]);
    expect(all.flatMap(({ schema }) => Object.keys(schema)).filter((word) => !words.has(word))).toEqual([]);
  });

  test('has no empty map of properties, which an API server drops', () => {
    const isEmpty = ({ properties }: JsonObject): boolean =>
      isJsonObject(properties) && Object.keys(properties).length === 0;
    expect(pathsOf(all, isEmpty)).toEqual([]);
  });

  test('bounds every list, map and text', () => {
    const isUnbounded = (schema: JsonObject): boolean => {
      const type = schema['type'];
      const format = schema['format'];
      if (type === 'array') return schema['maxItems'] === undefined;
      if (type === 'object') return schema['properties'] === undefined && schema['maxProperties'] === undefined;
      return (
        type === 'string' && schema['maxLength'] === undefined && schema['enum'] === undefined && format !== 'date-time'
      );
    };
    expect(pathsOf(all, isUnbounded)).toEqual([]);
  });

  test('says how every list merges, by keys that every element has', () => {
    const isWrong = (schema: JsonObject): boolean => {
      if (schema['type'] !== 'array') return false;
      const required = at(schema, 'items', 'required');
      const keys = (schema['x-kubernetes-list-map-keys'] ?? []) as readonly string[];
      const type = schema['x-kubernetes-list-type'];
      if (type === 'map')
        return keys.length === 0 || keys.some((key) => !Array.isArray(required) || !required.includes(key));
      const isRight = type === 'atomic' || (type === 'set' && at(schema, 'items', 'type') === 'string');
      return !isRight || keys.length > 0;
    };
    expect(pathsOf(all, isWrong)).toEqual([]);
  });

  test('has a message for every rule between fields', () => {
    for (const { schema } of all)
      for (const validation of (schema['x-kubernetes-validations'] ?? []) as readonly JsonObject[])
        expect(Object.keys(validation).toSorted()).toEqual(['message', 'rule']);
  });

  test('has defaults only where absence restricts nothing', () => {
    const defaults = spec.filter(({ schema }) => schema['default'] !== undefined);
    const allowed = /^spec\.(?:mode|onInvalid|(?:rules\[\]\.)?authentication\.(?:providers\[\]|peer)\.kind)$/;
    expect(defaults.filter(({ path }) => !allowed.test(path)).map(({ path }) => path)).toEqual([]);
  });

  test('S2 prunes unknown fields of the status', () => {
    expect(pathsOf(status, (schema) => schema['x-kubernetes-preserve-unknown-fields'] === true)).toEqual([]);
  });
});

/** The objects of a spec whose unknown fields an API server takes away: what is not in this list reaches the parser. */
function pruned(kind: string): readonly string[] {
  return pathsOf(
    kindNamed(kind).spec,
    (schema) =>
      schema['type'] === 'object' &&
      schema['properties'] !== undefined &&
      schema['x-kubernetes-preserve-unknown-fields'] !== true,
  );
}

describe('S2 the objects whose unknown fields are taken away are those where nothing restricts', () => {
  test('in an AccessPolicy: the form of answers, and headers of which every field is required', () => {
    const response = ['headers[]', 'unauthenticated', 'unauthenticated.headers[]', 'forbidden', 'forbidden.headers[]'];
    const upstream = ['headers[]', 'inject.secret', 'inject.secret.secretRef'];
    const ofBoth = ['spec', 'spec.rules[]'].flatMap((part) => [
      ...upstream.map((field) => `${part}.upstream.${field}`),
      ...response.map((field) => `${part}.response.${field}`),
    ]);
    expect(pruned('AccessPolicy').toSorted()).toEqual(['spec.paths', ...ofBoth].toSorted());
  });

  test('in a ClusterAccessPolicy: none', () => {
    expect(pruned('ClusterAccessPolicy')).toEqual([]);
  });

  test('in an IdentityProvider: references alone', () => {
    expect(pruned('IdentityProvider').filter((path) => !/(?:Ref|[sS]ecretSelector)$/.test(path))).toEqual([]);
    expect(pruned('ClusterIdentityProvider')).toEqual(pruned('IdentityProvider'));
  });
});

test('a policy has at most 64 rules of 16 matches, which is what the costs of an API server allow', () => {
  for (const kind of ['AccessPolicy', 'ClusterAccessPolicy']) {
    const { spec } = kindNamed(kind);
    const most = (path: string): JsonValue | undefined => spec.find((node) => node.path === path)?.schema['maxItems'];
    expect([most('spec.rules'), most('spec.rules[].matches')]).toEqual([64, 16]);
  }
});
