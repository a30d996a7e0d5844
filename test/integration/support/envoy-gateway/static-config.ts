import { isJsonObject, type JsonObject } from '../../../../src/core/json.ts';
import { mapObjects, objectAt, objectsAt, textAt } from '../json-at.ts';

/** Ports of 127.0.0.1 in place of the Services. */
export interface GatewayBackends {
  readonly portcullis: number;
  readonly upstream: number;
}

const dump = 'type.googleapis.com/envoy.admin.v3';

/**
 * What Envoy Gateway would send its Envoy, as a configuration that an Envoy reads from a file: the listener on any free port of
 * 127.0.0.1, with its routes inside, and the clusters with their endpoints inside. Filters, routes and clusters are not changed.
 */
export function staticConfig(xds: JsonObject, listener: string, backends: GatewayBackends): JsonObject {
  const routes = new Map(
    dumped(xds, 'RoutesConfigDump', 'dynamicRouteConfigs').map((entry) => {
      const config = withoutType(objectAt(entry, 'routeConfig'));
      return [textAt(config, 'name'), config] as const;
    }),
  );
  const endpoints = new Map(
    dumped(xds, 'EndpointsConfigDump', 'dynamicEndpointConfigs').map((entry) => {
      const config = withoutType(objectAt(entry, 'endpointConfig'));
      return [textAt(config, 'clusterName'), config] as const;
    }),
  );
  const found = dumped(xds, 'ListenersConfigDump', 'dynamicListeners')
    .map((entry) => withoutType(objectAt(entry, 'activeState', 'listener')))
    .find(({ name }) => name === listener);
  if (found === undefined) throw new Error(`Envoy Gateway made no listener ${listener}`);
  const clusters = dumped(xds, 'ClustersConfigDump', 'dynamicActiveClusters').map((entry) =>
    toStatic(withoutType(objectAt(entry, 'cluster')), endpoints, backends),
  );
  return {
    admin: { address: loopback(0) },
    static_resources: { listeners: [{ ...withRoutes(found, routes), address: loopback(0) }], clusters },
  };
}

function dumped(xds: JsonObject, type: string, member: string): readonly JsonObject[] {
  return objectsAt(xds, 'configs')
    .filter((config) => config['@type'] === `${dump}.${type}`)
    .flatMap((config) => objectsAt(config, member));
}

function withRoutes(listener: JsonObject, routes: ReadonlyMap<string, JsonObject>): JsonObject {
  const changed = mapObjects(listener, (object) => {
    const { rds, ...others } = object;
    if (!isJsonObject(rds)) return object;
    const name = textAt(rds, 'routeConfigName');
    const config = routes.get(name);
    if (config === undefined) throw new Error(`no routes ${name}`);
    return { ...others, routeConfig: config };
  });
  return isJsonObject(changed) ? changed : {};
}

function toStatic(
  cluster: JsonObject,
  endpoints: ReadonlyMap<string, JsonObject>,
  backends: GatewayBackends,
): JsonObject {
  const { edsClusterConfig: _, ...others } = cluster;
  const name = textAt(cluster, 'name');
  const found = endpoints.get(name);
  if (found === undefined) throw new Error(`the cluster ${name} has no endpoints`);
  const port = name.startsWith('securitypolicy/') ? backends.portcullis : backends.upstream;
  const assignment = mapObjects(found, (object) => ('socketAddress' in object ? loopback(port) : object));
  return { ...others, type: 'STATIC', loadAssignment: assignment };
}

function loopback(port: number): JsonObject {
  return { socketAddress: { address: '127.0.0.1', portValue: port } };
}

/** Where the kind of a message is known, Envoy's configuration does not name it. */
function withoutType(message: JsonObject): JsonObject {
  const { '@type': _, ...others } = message;
  return others;
}
