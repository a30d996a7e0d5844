import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { RouteParent } from '../core/status.ts';
import { quote, type ProblemList } from './problem-list.ts';
import { readHostPattern } from './read-host.ts';
import type { SpecName } from './spec-name.ts';
import type { AuthorDocument, RouteKind, RouteSpec } from './spec.ts';

export const gatewayGroup = 'gateway.networking.k8s.io';

/**
 * Reads of a route what policies that are attached to it need. It is not ours to judge: what cannot be read is left out, a hostname with a
 * warning, because it reserves nothing (S7).
 */
export function readRoute(
  kind: RouteKind,
  { namespace, name }: SpecName,
  { value, source }: AuthorDocument,
  problems: ProblemList,
): RouteSpec {
  const spec = memberObject(value, 'spec');
  const hostnames = listAt(spec, 'hostnames').flatMap((hostname, index) => {
    const read = typeof hostname === 'string' ? readHostPattern(hostname) : { why: 'it is no text' };
    if ('pattern' in read) return [read.pattern];
    problems.warning('invalid-value', ['spec', 'hostnames', index], `${quote(hostname)} is no host: ${read.why}`);
    return [];
  });
  const sections = listAt(spec, 'rules').flatMap((rule) => textAt(rule, 'name') ?? []);
  const parents = listAt(spec, 'parentRefs').flatMap((ref) => readParent(ref, namespace));
  return { kind, namespace, name, source, hostnames: [...new Set(hostnames)], sections, parents };
}

function readParent(ref: JsonValue, namespace: string): RouteParent[] {
  const name = textAt(ref, 'name');
  if (name === undefined || !isJsonObject(ref)) return [];
  const { port } = ref;
  return [
    {
      group: textAt(ref, 'group') ?? gatewayGroup,
      kind: textAt(ref, 'kind') ?? 'Gateway',
      namespace: textAt(ref, 'namespace') ?? namespace,
      name,
      sectionName: textAt(ref, 'sectionName'),
      port: typeof port === 'number' ? port : undefined,
    },
  ];
}

function memberObject(value: JsonValue, name: string): JsonObject {
  const member = isJsonObject(value) ? value[name] : undefined;
  return isJsonObject(member) ? member : {};
}

function listAt(object: JsonObject, name: string): readonly JsonValue[] {
  const member = object[name];
  return Array.isArray(member) ? member : [];
}

function textAt(value: JsonValue, name: string): string | undefined {
  const member = isJsonObject(value) ? value[name] : undefined;
  return typeof member === 'string' ? member : undefined;
}
