import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../../../src/core/json.ts';
import type { Cluster } from './cluster.ts';
import type { ToolRun } from './run-tool.ts';

export type Helm = 'helm3' | 'helm4';
export const helms: readonly Helm[] = ['helm3', 'helm4'];

/** The chart's folder. */
export const chartFolder = fileURLToPath(new URL('../../../helm/portcullis', import.meta.url));

/** Names of the scenario files in the chart's `ci`, without their ending. */
export const scenarios: readonly string[] = readdirSync(`${chartFolder}/ci`).map((name) =>
  name.replace(/-values\.yaml$/u, ''),
);

export function scenarioFile(scenario: string): string {
  return `${chartFolder}/ci/${scenario}-values.yaml`;
}

export interface ChartUse {
  /** A scenario of the chart's `ci`. */
  readonly scenario?: string;
  /** In the form of `--set`. */
  readonly set?: readonly string[];
  /** `portcullis` where it is not given; so is the release. */
  readonly namespace?: string;
  readonly release?: string;
}

/** The arguments that choose values and namespace. */
export function chartFlags({ scenario, set = [], namespace = 'portcullis' }: ChartUse): readonly string[] {
  const file = scenario === undefined ? [] : ['--values', scenarioFile(scenario)];
  return ['--namespace', namespace, ...file, ...set.flatMap((one) => ['--set', one])];
}

const rendered = new Map<string, Promise<ToolRun>>();

/** `helm template` of the chart: the text with every object, or the failure. What was rendered once is remembered, but for certificates, which are random. */
export function templateChart(cluster: Cluster, helm: Helm, use: ChartUse = {}): Promise<ToolRun> {
  const args = ['template', use.release ?? 'portcullis', chartFolder, ...chartFlags(use)];
  const key = [helm, ...args].join(' ');
  const known = key.includes('selfSigned') ? undefined : rendered.get(key);
  const run = known ?? cluster.run(helm, args);
  rendered.set(key, run);
  return run;
}

/** The objects of the chart as Helm 4 renders them. Throws where it refuses. */
export async function renderChart(cluster: Cluster, use: ChartUse = {}): Promise<readonly JsonObject[]> {
  const { code, stdout, stderr } = await templateChart(cluster, 'helm4', use);
  if (code !== 0) throw new Error(stderr);
  return objectsOf(stdout);
}

export function objectsOf(yaml: string): readonly JsonObject[] {
  return parseAllDocuments(yaml, { uniqueKeys: true }).flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const value: JsonValue = document.toJS();
    return isJsonObject(value) ? [value] : [];
  });
}

/** What is at the path, such as `spec.template.spec.containers.0.args`; undefined where something on the way is missing. */
export function at(value: JsonValue | undefined, path: string): JsonValue | undefined {
  let found = value;
  for (const key of path.split('.')) {
    if (Array.isArray(found)) found = found[Number(key)];
    else found = isJsonObject(found) ? ownMember(found, key) : undefined;
  }
  return found;
}

/** The text or number at the path, as text; empty where there is none. */
export function textAt(value: JsonValue | undefined, path: string): string {
  const found = at(value, path);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : '';
}

/** The object of the kind and name; throws where there is none. */
export function pick(objects: readonly JsonObject[], kind: string, name: string): JsonObject {
  const found = objects.find((object) => object['kind'] === kind && at(object, 'metadata.name') === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}

/** A list of texts at the path; empty where there is none. */
export function textsAt(value: JsonValue | undefined, path: string): readonly string[] {
  const found = at(value, path);
  return Array.isArray(found) ? found.map((_, index) => textAt(found, String(index))) : [];
}

/** The text at the key of a ConfigMap's data; throws where there is none. */
export function dataAt(map: JsonObject, key: string): string {
  const data = at(map, 'data');
  const text = isJsonObject(data) ? ownMember(data, key) : undefined;
  if (typeof text !== 'string') throw new Error(`no ${key} in the ConfigMap`);
  return text;
}
