import type { JsonObject } from '../../../src/core/json.ts';
import type { RequestRoute } from '../../../src/core/request.ts';
import type { CaseRequest } from '../../../src/policy-test/policy-test.ts';
import type { PolicyTest } from '../../support/policy-test.ts';

const route = { cluster: 'upstream' };

/** What the configuration of the proxy says of a request. */
type Said = Pick<CaseRequest, 'contextExtensions' | 'route'>;

/** The routes of an Envoy that says what a test's requests ask for, and how a request comes to its route. */
export interface ContextRoutes {
  readonly routes: readonly JsonObject[];
  /** Header lines to send with the request. */
  headersFor(request: CaseRequest): readonly (readonly [name: string, value: string])[];
}

/**
 * One route for each host of which the proxy says something, as an operator would configure it, and one for everything else. Where
 * requests name routes of the Gateway API, of which several serve one host, a header of the test chooses.
 */
export function contextRoutes({ cases }: PolicyTest): ContextRoutes {
  const requests = cases.flatMap(({ request }) => request ?? []);
  const everything = { match: { prefix: '/' }, route };
  const chosen = [...new Map(requests.filter(saysSomething).map((request) => [keyOf(request), request])).values()];
  if (requests.some((request) => request.route !== undefined)) {
    const name = 'x-test-route';
    const routes = chosen.map((request) => toRoute({ name, string_match: { exact: nameOf(request) } }, request));
    return {
      routes: [...routes, everything],
      headersFor: (request) => (saysSomething(request) ? [[name, nameOf(request)]] : []),
    };
  }
  for (const request of requests) {
    const { host } = request;
    if (requests.some((other) => other.host === host && keyOf(other) !== keyOf(request)))
      throw new Error(`the requests for ${host} differ in their context extensions`);
  }
  const hosts = new Map(requests.filter(saysSomething).map((request) => [request.host, request]));
  const routes = [...hosts].map(([host, request]) =>
    toRoute({ name: ':authority', string_match: { exact: host } }, request),
  );
  return { routes: [...routes, everything], headersFor: () => [] };
}

function saysSomething({ contextExtensions = {}, route: of }: Said): boolean {
  return of !== undefined || Object.keys(contextExtensions).length > 0;
}

function keyOf({ contextExtensions = {}, route: of }: Said): string {
  return JSON.stringify([contextExtensions, of && { ...of, annotations: [...of.annotations] }]);
}

function nameOf(request: Said): string {
  return Buffer.from(keyOf(request)).toString('hex');
}

function toRoute(header: JsonObject, { contextExtensions = {}, route: of }: Said): JsonObject {
  return {
    match: { prefix: '/', headers: [header] },
    route,
    ...(of === undefined ? {} : { metadata: metadataOf(of) }),
    typed_per_filter_config: {
      'envoy.filters.http.ext_authz': {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
        check_settings: { context_extensions: contextExtensions },
      },
    },
  };
}

/** The metadata that Envoy Gateway gives a route. */
function metadataOf({ kind, namespace, name, section, annotations }: RequestRoute): JsonObject {
  const resource = {
    kind,
    namespace,
    name,
    ...(section === '' ? {} : { sectionName: section }),
    ...(annotations.size === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
  };
  return { filter_metadata: { 'envoy-gateway': { resources: [resource] } } };
}

/** Fields of the ext_authz filter by which Envoy sends it, as Envoy Gateway writes them. */
export const sendRouteMetadata: JsonObject = { route_metadata_context_namespaces: ['envoy-gateway'] };
