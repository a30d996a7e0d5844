import type { RequestRoute } from '../core/request.ts';
import type { Fields, Wanted } from './read-metadata.ts';

/** Where Envoy Gateway says which route it is (`includeRouteMetadata`). */
const namespaceOfGateway = 'envoy-gateway';

const parts: ReadonlySet<string> = new Set(['kind', 'namespace', 'name', 'sectionName']);
const alone: Wanted = () => undefined;
const wantedOfResource: Wanted = (name) => {
  if (name === 'annotations') return () => alone;
  return parts.has(name) ? alone : undefined;
};

/** What `routeOf` looks at. */
export const wantedOfRoute: Wanted = (namespace) =>
  namespace === namespaceOfGateway ? (name) => (name === 'resources' ? wantedOfResource : undefined) : undefined;

/**
 * The route that Envoy Gateway describes in the metadata of a route: `resources` is a list of one entry. A list of another length, or an
 * entry without kind, namespace or name, is no route.
 */
export function routeOf(metadata: Fields): RequestRoute | undefined {
  const resources = metadata.get(namespaceOfGateway)?.fields?.get('resources')?.values;
  const fields = resources?.count === 1 ? resources.first?.fields : undefined;
  if (fields === undefined) return undefined;
  const [kind, namespace, name] = ['kind', 'namespace', 'name'].map((part) => textAt(fields, part));
  if (!kind || !namespace || !name) return undefined;
  return { kind, namespace, name, section: textAt(fields, 'sectionName'), annotations: textsAt(fields, 'annotations') };
}

function textAt(fields: Fields, name: string): string {
  return fields.get(name)?.text ?? '';
}

const noTexts: ReadonlyMap<string, string> = new Map();

function textsAt(fields: Fields, name: string): ReadonlyMap<string, string> {
  const inner = fields.get(name)?.fields;
  if (inner === undefined) return noTexts;
  return new Map([...inner].map(([key, { text = '' }]) => [key, text] as const));
}

/** The Metadata message in which Envoy Gateway describes the route, for whoever asks as a proxy does. */
export function metadataOf({ kind, namespace, name, section, annotations }: RequestRoute): object {
  const text = (stringValue: string): object => ({ stringValue });
  const texts = (entries: Iterable<readonly [string, string]>): object => ({
    structValue: { fields: Object.fromEntries([...entries].map(([key, value]) => [key, text(value)])) },
  });
  const fields = {
    kind: text(kind),
    namespace: text(namespace),
    name: text(name),
    ...(section === '' ? {} : { sectionName: text(section) }),
    ...(annotations.size === 0 ? {} : { annotations: texts(annotations) }),
  };
  const resources = { listValue: { values: [{ structValue: { fields } }] } };
  return { filterMetadata: { [namespaceOfGateway]: { fields: { resources } } } };
}
