import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createCheckRequestDecoder } from '../../../src/envoy/decode-check-request.ts';
import { codecOf } from '../../../src/envoy/protos.ts';

const codec = codecOf('envoy.service.auth.v3.CheckRequest');
const fixture = (name: string): object =>
  JSON.parse(readFileSync(`test/fixtures/envoy-gateway/${name}.json`, 'utf8')) as object;
const text = (value: string): object => ({ stringValue: value });
const routeOf = (name: string, section: string): object => ({
  filterMetadata: {
    'envoy-gateway': {
      fields: {
        resources: {
          listValue: {
            values: [
              {
                structValue: {
                  fields: {
                    kind: text('HTTPRoute'),
                    name: text(name),
                    namespace: text('shop'),
                    sectionName: text(section),
                  },
                },
              },
            ],
          },
        },
      },
    },
  },
});

describe('what Envoy Gateway sends, as test/integration/envoy-gateway noted it', () => {
  it.each([
    ['route-metadata', 'shop.example', '/orders/1?a=b', [], routeOf('orders', 'orders')],
    [
      'named-policy',
      'partners.example',
      '/orders',
      [['portcullis.dev/policy', 'shop/partners']],
      routeOf('partners', 'orders'),
    ],
  ] as const)(
    '%s: the route in route_metadata_context, context extensions apart from headers',
    (name, host, target, extensions, route) => {
      const bytes = codec.encode(fixture(name));
      expect(codec.decode(bytes)).toMatchObject({ attributes: { routeMetadataContext: route, metadataContext: {} } });
      const decoded = createCheckRequestDecoder().decode(bytes);
      expect(decoded).toMatchObject({
        kind: 'request',
        request: { kind: 'http', method: 'GET', host, target, duplicates: 'joined' },
      });
      const request = decoded.kind === 'request' ? decoded.request : undefined;
      expect([...(request?.contextExtensions ?? [])]).toEqual(extensions);
      expect(request?.route).toEqual({
        kind: 'HTTPRoute',
        namespace: 'shop',
        name: name === 'named-policy' ? 'partners' : 'orders',
        section: 'orders',
        annotations: new Map(),
      });
      expect([...(request?.headers ?? [])].map((header) => header.name).toSorted()).toEqual([
        'user-agent',
        'x-envoy-external-address',
        'x-forwarded-for',
        'x-forwarded-proto',
        'x-request-id',
        'x-test',
      ]);
    },
  );
});
