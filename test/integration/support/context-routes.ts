import type { JsonObject } from '../../../src/core/json.ts';
import type { PolicyTest } from '../../support/policy-test.ts';

const route = { cluster: 'upstream' };

/**
 * The routes of an Envoy that sends the context extensions of a test's requests: one for each host that has any, as an operator would
 * configure it, and one for everything else. Throws where requests of one host differ in them.
 */
export function contextRoutes({ cases }: PolicyTest): readonly JsonObject[] {
  const byHost = new Map<string, Readonly<Record<string, string>>>();
  for (const { request } of cases) {
    if (request === undefined) continue;
    const { host, contextExtensions = {} } = request;
    const other = byHost.get(host) ?? contextExtensions;
    if (JSON.stringify(other) !== JSON.stringify(contextExtensions))
      throw new Error(`the requests for ${host} differ in their context extensions`);
    byHost.set(host, contextExtensions);
  }
  const withContext = [...byHost].filter(([, extensions]) => Object.keys(extensions).length > 0);
  return [...withContext.map(([host, extensions]) => toRoute(host, extensions)), { match: { prefix: '/' }, route }];
}

function toRoute(host: string, contextExtensions: Readonly<Record<string, string>>): JsonObject {
  return {
    match: { prefix: '/', headers: [{ name: ':authority', string_match: { exact: host } }] },
    route,
    typed_per_filter_config: {
      'envoy.filters.http.ext_authz': {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
        check_settings: { context_extensions: contextExtensions },
      },
    },
  };
}
