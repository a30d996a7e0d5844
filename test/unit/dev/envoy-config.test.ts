import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonValue } from '../../../src/core/json.ts';
import { envoyConfig } from '../../../src/dev/envoy-config.ts';

const setup = { port: 10_000, upstreamPort: 8000, authorizationAddress: '127.0.0.1:9001' };

/** Every object in the value that has a member of that name and value. */
function objectsWith(value: JsonValue, name: string, wanted: JsonValue): readonly JsonValue[] {
  if (Array.isArray(value)) return value.flatMap((element) => objectsWith(element, name, wanted));
  if (!isJsonObject(value)) return [];
  const below = Object.values(value).flatMap((member) => objectsWith(member, name, wanted));
  return value[name] === wanted ? [value, ...below] : below;
}

const extAuthz = 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz';

describe('the configuration of Envoy', () => {
  it('asks Portcullis about every request and takes no answer for a no', () => {
    expect(objectsWith(envoyConfig(setup), '@type', extAuthz)).toEqual([
      {
        '@type': extAuthz,
        transport_api_version: 'V3',
        failure_mode_allow: false,
        grpc_service: { envoy_grpc: { cluster_name: 'portcullis' }, timeout: '0.5s' },
      },
    ]);
  });

  it('leaves paths as they are, so that what the client sent is judged', () => {
    expect(JSON.stringify(envoyConfig(setup))).not.toMatch(/normalize_path|merge_slashes/u);
  });

  it('listens on loopback alone', () => {
    const addresses = objectsWith(envoyConfig(setup), 'address', '127.0.0.1');
    expect(addresses).toHaveLength(4);
    expect(JSON.stringify(envoyConfig(setup))).not.toContain('0.0.0.0');
  });

  it('takes what a test puts in place of it', () => {
    const config = envoyConfig({
      ...setup,
      authorizationAddress: 'unix:/run/portcullis.sock',
      filter: { failure_mode_allow: true },
      connectionManager: { normalize_path: true },
      routes: [{ match: { prefix: '/a' }, route: { cluster: 'upstream' } }],
    });
    expect(objectsWith(config, '@type', extAuthz)).toMatchObject([
      { failure_mode_allow: true, transport_api_version: 'V3' },
    ]);
    expect(objectsWith(config, 'path', '/run/portcullis.sock')).toHaveLength(1);
    expect(objectsWith(config, 'prefix', '/')).toHaveLength(0);
    expect(objectsWith(config, 'normalize_path', true)).toHaveLength(1);
  });
});
