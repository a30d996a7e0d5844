import { readFileSync, readdirSync } from 'node:fs';
import { Ajv, type AnySchemaObject } from 'ajv';
import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { isJsonObject, type JsonValue } from '../../../src/core/json.ts';
import { settingEntries, settings, type SettingKey } from '../../../src/runtime/config/settings.ts';
import { readValues } from '../../tools/chart/values-table.ts';

const chart = 'helm/portcullis';
const text = readFileSync(`${chart}/values.yaml`, 'utf8');
const values: JsonValue = parse(text);
const schema: AnySchemaObject = JSON.parse(readFileSync(`${chart}/values.schema.json`, 'utf8'));
const validate = new Ajv({ strict: false, allErrors: true }).compile(schema);

/** What the chart itself tells `serve`: no part of its value `config`. */
const chartOwned: ReadonlySet<SettingKey> = new Set<SettingKey>([
  'policies',
  'kubeconfig',
  'watchNamespaces',
  'policySelector',
  'clusterKinds',
  'publishStatus',
  'leaseName',
  'podName',
  'namespace',
  'grpcAddress',
  'httpAddress',
  'adminAddress',
  'tlsCertificate',
  'tlsKey',
  'tlsClientCa',
  'tlsMinimumVersion',
  'redisPasswordFile',
  'redisCaFile',
  'revocationsConfigMap',
  'adminTokenFile',
]);

const documented = readValues(text).values.map(({ path }) => path);

test('every value has a line in values.yaml that says what it is', () => {
  expect(readValues(text).undocumented).toEqual([]);
  expect(documented.length).toBeGreaterThan(100);
});

test('the defaults are what the schema accepts', () => {
  expect([validate(values), validate.errors]).toEqual([true, null]);
});

test.each(readdirSync(`${chart}/ci`))('ci/%s is what the schema accepts', (name) => {
  expect([validate(parse(readFileSync(`${chart}/ci/${name}`, 'utf8')) ?? {}), validate.errors]).toEqual([true, null]);
});

test('values.yaml and the schema know the same values', () => {
  expect(compareKeys(schema, values, '')).toEqual([]);
});

test('the scenario files use every value', () => {
  const used = readdirSync(`${chart}/ci`).map((name) => parse(readFileSync(`${chart}/ci/${name}`, 'utf8')) ?? {});
  const paths = new Set(used.flatMap((one: JsonValue) => pathsOf(one, '')));
  expect(documented.filter((path) => !paths.has(path))).toEqual([]);
});

describe('the value config', () => {
  const all: Record<string, AnySchemaObject> = schema['properties'].config.properties;
  const isElsewhere = (one: AnySchemaObject): boolean => one['description']?.startsWith('Not here: ') === true;
  const properties = Object.fromEntries(Object.entries(all).filter(([, one]) => !isElsewhere(one)));

  test('knows every setting of serve that the chart does not set by itself, and no other', () => {
    const expected = settingEntries()
      .map(([key]) => key)
      .filter((key) => !chartOwned.has(key));
    expect(Object.keys(properties).toSorted()).toEqual(expected.toSorted());
  });

  test('lets pass what the chart sets by itself, so that its templates can say where it belongs', () => {
    const elsewhere = Object.keys(all).filter((key) => properties[key] === undefined);
    expect(elsewhere.toSorted()).toEqual([...chartOwned].toSorted());
    const checks = readFileSync(`${chart}/templates/_checks.tpl`, 'utf8');
    expect([...chartOwned].filter((key) => !checks.includes(`\n  "${key}" `))).toEqual([]);
  });

  test.each<readonly [string, boolean]>([
    ['api.example.com', true],
    ['*.example.com', true],
    ['*', true],
    ['localhost', true],
    ['10.0.0.1', true],
    ['[2001:db8::1]', true],
    ['API.example.com.', true],
    ['https://api.example.com', false],
    ['api.example.com:443', false],
    ['api.example.com/', false],
    ['*.*.example.com', false],
    ['api..example.com', false],
    ['.example.com', false],
    ['*example.com', false],
    ['', false],
  ])('takes the host %j in hostGrants as serve does', (host, isOne) => {
    const hostGrants = { shop: [host] };
    expect([validate({ config: { hostGrants } }), 'value' in settings.hostGrants.type.fromJson(hostGrants)]).toEqual([
      isOne,
      isOne,
    ]);
  });

  test('takes numbers as far as the setting does', () => {
    for (const [key, { minimum, maximum }] of Object.entries(properties)) {
      if (typeof minimum !== 'number' || typeof maximum !== 'number') continue;
      const takes = (value: number): boolean => 'value' in settings[key as SettingKey].type.fromJson(value);
      expect([key, takes(minimum), takes(maximum), takes(maximum + 1)]).toEqual([key, true, true, false]);
    }
  });

  test('takes what the setting takes', () => {
    for (const key of Object.keys(properties)) {
      const setting = settings[key as SettingKey];
      const fallback = setting.type.toJson(setting.default?.value as never);
      // A map without grants is left out: an empty one grants nobody anything.
      if (key === 'hostGrants') continue;
      expect([key, validate({ config: { [key]: fallback } })]).toEqual([key, true]);
    }
  });

  test('becomes variables of the same settings in a sidecar', () => {
    for (const key of Object.keys(properties)) {
      const variable = `PORTCULLIS_${key.replaceAll(/[A-Z]/gu, (letter) => `_${letter}`).toUpperCase()}`;
      expect([key, settings[key as SettingKey].env]).toEqual([key, variable]);
    }
  });
});

/** Where objects may hold keys that the schema does not list, by what they are. */
const openPlaces = [
  /Labels$|labels$|Annotations$|annotations$|nodeSelector$/u, // maps of texts
  /^global$/u, // an umbrella chart's, shared with its other charts
  /^config\.hostGrants$/u, // namespaces
  /\.(requests|limits)$/u, // resources by name
  /^affinity\.|metrics\[\]$|\.scaleUp$|\.scaleDown$|elabelings\[\]$|extraRules\[\]$|\.claims\[\]$|\.valueFrom$|Ref$|\.ports\[\]$/u, // parts of Kubernetes' own kinds, which the API server checks
  /^(extraVolumes|extraVolumeMounts|extraContainers|initContainers|extraObjects)\[\]$/u, // whole objects of the author's
  /^(global\.)?imagePullSecrets\[\]$/u,
];

test('a key that the schema does not know is refused everywhere but in maps and in parts of other kinds', () => {
  const open = openObjects(schema, '');
  expect(open.filter((path) => !openPlaces.some((place) => place.test(path)))).toEqual([]);
  expect(open).toContain('commonLabels');
});

function openObjects(node: AnySchemaObject, path: string): readonly string[] {
  const types: readonly unknown[] = [node['type']].flat();
  const own = types.includes('object') && node['additionalProperties'] !== false ? [path] : [];
  const below = Object.entries<AnySchemaObject>(node['properties'] ?? {}).flatMap(([key, value]) =>
    openObjects(value, path === '' ? key : `${path}.${key}`),
  );
  const items = node['items'] === undefined ? [] : openObjects(node['items'], `${path}[]`);
  const either = (node['anyOf'] ?? []).flatMap((one: AnySchemaObject) => openObjects(one, path));
  return [...own, ...below, ...items, ...either];
}

/** Keys of one that the other does not have. A value that is documented as a whole need not name every part. */
function compareKeys(node: AnySchemaObject, value: JsonValue, path: string, within = false): readonly string[] {
  const properties: Record<string, AnySchemaObject> | undefined = node['properties'];
  if (properties === undefined || !isJsonObject(value)) return [];
  const keys = Object.keys(value);
  const at = (key: string): string => (path === '' ? key : `${path}.${key}`);
  const extra = keys.filter((key) => properties[key] === undefined).map((key) => `${at(key)} is not in the schema`);
  const isWhole = within || documented.includes(path);
  const missing = isWhole ? [] : Object.keys(properties).filter((key) => !keys.includes(key));
  const below = keys.flatMap((key) => compareKeys(properties[key] ?? {}, value[key] ?? null, at(key), isWhole));
  return [...extra, ...missing.map((key) => `${at(key)} is not in values.yaml`), ...below];
}

function pathsOf(value: JsonValue, path: string): readonly string[] {
  if (!isJsonObject(value)) return [path];
  const below = Object.entries(value).flatMap(([key, one]) => pathsOf(one, path === '' ? key : `${path}.${key}`));
  return path === '' ? below : [path, ...below];
}
