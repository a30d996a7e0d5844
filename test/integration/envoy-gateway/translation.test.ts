import { beforeAll, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../src/core/json.ts';
import { createAuthority } from '../../support/certificates.ts';
import { backendTlsDocuments, clusterServices, gatewayDocuments } from '../support/envoy-gateway/documents.ts';
import { translate, type Translation } from '../support/envoy-gateway/translate.ts';
import { describeWithEgctl } from '../support/envoy-gateway/with-egctl.ts';
import { findAt, mapObjects, objectAt, textAt } from '../support/json-at.ts';

const gateway = 'shop/public';
const authority = createAuthority();
const client = authority.issue({ name: 'envoy', use: 'client' });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const indented = (text: string): string => text.trim().replaceAll('\n', '\n    ');
const tlsMaterial = `
apiVersion: v1
kind: ConfigMap
metadata: {name: portcullis-ca, namespace: portcullis}
data:
  ca.crt: |
    ${indented(authority.certificate)}
---
apiVersion: v1
kind: Secret
metadata: {name: envoy-client, namespace: shop}
type: kubernetes.io/tls
data: {tls.crt: ${base64(client.certificate)}, tls.key: ${base64(client.key)}}`;

describeWithEgctl('deploy/envoy-gateway, translated by Envoy Gateway', ({ egctl }) => {
  let documents: readonly string[];
  let plain: Translation;
  beforeAll(async () => {
    documents = [...(await gatewayDocuments()), ...clusterServices];
    plain = await translate(egctl, documents, gateway);
  });
  const changed = async (from: RegExp, to: string): Promise<Translation> => {
    const next = documents.map((document) => document.replace(from, to));
    expect(next).not.toEqual(documents);
    return translate(egctl, next, gateway);
  };

  it('is accepted as a whole', () => {
    expect(plain.conditions).toEqual([
      'HTTPRoute shop/orders Accepted=True',
      'HTTPRoute shop/orders ResolvedRefs=True',
      'HTTPRoute shop/partners Accepted=True',
      'HTTPRoute shop/partners ResolvedRefs=True',
      'SecurityPolicy shop/portcullis Accepted=True',
      // Where the other one names the route.
      'SecurityPolicy shop/portcullis Overridden=True',
      'SecurityPolicy shop/portcullis-partners Accepted=True',
    ]);
  });

  it('asks before the request goes on, tells the route, and never lets silence pass', () => {
    const filters = filtersOf(plain.xds);
    expect(filters).toHaveLength(2);
    for (const filter of filters) {
      expect(filter).toEqual({
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
        grpcService: {
          envoyGrpc: {
            authority: 'portcullis.portcullis:9001',
            clusterName: expect.stringContaining('securitypolicy/shop/'),
          },
          timeout: '0.500s',
        },
        routeMetadataContextNamespaces: ['envoy-gateway'],
        statusOnError: { code: 'ServiceUnavailable' },
        transportApiVersion: 'V3',
      });
    }
  });

  it('refuses a field that is misspelt, and where it may not name the Service nobody passes', async () => {
    await expect(changed(/failOpen/u, 'failOpne')).rejects.toThrow('unknown field');
    const refused = await changed(/namespace: shop\}\n {2}to:/u, 'namespace: other}\n  to:');
    expect(refused.conditions).toContain('SecurityPolicy shop/portcullis Accepted=False');
    expect([filtersOf(refused.xds), routesOf(refused.xds)]).toEqual([[], [500, 500, 500]]);
    expect(routesOf(plain.xds)).toEqual([undefined, undefined, undefined]);
  });

  it('does not ask about a route whose own SecurityPolicy has no extAuth, as the guide says', async () => {
    const own = /name: partners\}\n {2}extAuth:.*?\n---/su;
    const { xds, conditions } = await changed(
      own,
      'name: partners}\n  cors: {allowOrigins: ["https://a.example"]}\n---',
    );
    expect(conditions).toContain('SecurityPolicy shop/portcullis Overridden=True');
    expect(askedRoutes(xds)).toEqual([true, true, false]);
    expect(askedRoutes(plain.xds)).toEqual([true, true, true]);
  });

  it('lets everybody in where the document is wrong and failOpen is true, as the guide says', async () => {
    const grant = /namespace: shop\}\n {2}to:/u;
    const open = documents.map((document) =>
      document.replace(grant, 'namespace: other}\n  to:').replaceAll('failOpen: false', 'failOpen: true'),
    );
    const { xds } = await translate(egctl, open, gateway);
    expect([filtersOf(xds), routesOf(xds)]).toEqual([[], [undefined, undefined, undefined]]);
  });

  it('with backend-tls.yaml speaks TLS to the one name of the one CA, and shows its own certificate', async () => {
    const secured = documents.map((document) =>
      document.replace(
        '  gatewayClassName: envoy-gateway\n',
        `  gatewayClassName: envoy-gateway
  infrastructure: {parametersRef: {group: gateway.envoyproxy.io, kind: EnvoyProxy, name: portcullis-client}}\n`,
      ),
    );
    const { xds, conditions } = await translate(egctl, [...secured, await backendTlsDocuments(), tlsMaterial], gateway);
    expect(conditions).toContain('BackendTLSPolicy portcullis/portcullis Accepted=True');
    const contexts = objectsIn(xds, (object) => object['sni'] === 'portcullis.portcullis.svc');
    expect(contexts).toHaveLength(2);
    for (const context of contexts) {
      const common = ['commonTlsContext', 'combinedValidationContext'];
      expect([
        findAt(context, ...common, 'defaultValidationContext', 'matchTypedSubjectAltNames'),
        findAt(context, ...common, 'validationContextSdsSecretConfig', 'name'),
        findAt(context, 'commonTlsContext', 'tlsCertificateSdsSecretConfigs', 0, 'name'),
      ]).toEqual([
        [{ matcher: { exact: 'portcullis.portcullis.svc' }, sanType: 'DNS' }],
        'portcullis/portcullis-ca',
        'shop/envoy-client',
      ]);
    }
    expect(objectsIn(plain.xds, (object) => object['sni'] === 'portcullis.portcullis.svc')).toEqual([]);
  });
});

function filtersOf(xds: JsonObject): readonly JsonObject[] {
  return objectsIn(xds, (object) => textAt(object, '@type').endsWith('.ext_authz.v3.ExtAuthz'));
}

/** Whether each route of ours turns a filter of ours on. */
function askedRoutes(xds: JsonObject): readonly boolean[] {
  return gatewayRoutes(xds).map((route) =>
    Object.keys(objectAt(route, 'typedPerFilterConfig')).some((name) =>
      name.startsWith('envoy.filters.http.ext_authz/'),
    ),
  );
}

function gatewayRoutes(xds: JsonObject): readonly JsonObject[] {
  return objectsIn(xds, (object) => textAt(object, 'name').startsWith('httproute/') && 'match' in object);
}

/** The status with which a route of ours answers by itself, without asking or passing on; undefined where it does neither. */
function routesOf(xds: JsonObject): readonly (JsonValue | undefined)[] {
  return gatewayRoutes(xds).map((route) => findAt(route, 'directResponse', 'status'));
}

/** Every object in the value that the question is true of. */
function objectsIn(value: JsonValue, wanted: (object: JsonObject) => boolean): readonly JsonObject[] {
  const found: JsonObject[] = [];
  mapObjects(value, (object) => {
    if (wanted(object)) found.push(object);
    return object;
  });
  return found;
}
