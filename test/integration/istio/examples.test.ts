import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { istioDefinitions } from '../support/istio-definitions.ts';
import { objectAt, objectsAt } from '../support/json-at.ts';
import { waitEstablished } from '../../support/kubernetes/wait-established.ts';

const folder = 'deploy/istio';
const files = ['authorization-policy.yaml', 'peer-authentication.yaml', 'destination-rule.yaml'];
const title = 'deploy/istio, held against the definitions of Istio';

if (istioDefinitions === undefined) {
  describe.skip(`${title} (skipped: they are not there; \`node test/tools/run.ts parts\` brings them)`, () => {
    it('is not run', () => undefined);
  });
} else {
  const { crds, fieldsOf } = istioDefinitions;

  describeWithCluster(title, () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startCluster();
      const names = [
        'authorizationpolicies.security',
        'peerauthentications.security',
        'destinationrules.networking',
      ].map((name) => `${name}.istio.io`);
      const wanted = parseAllDocuments(await crds()).filter((document) =>
        names.includes(String(document.getIn(['metadata', 'name']))),
      );
      expect(wanted).toHaveLength(names.length);
      await cluster.run('kubectl', ['create', '--filename', '-'], { input: wanted.map(String).join('---\n') });
      for (const name of names) await waitEstablished(cluster, `crd/${name}`);
      for (const name of ['istio-ingress', 'shop', 'portcullis']) await cluster.kubectl('create', 'namespace', name);
    });
    afterAll(() => cluster?.stop());

    const dryRun = (input: string): ReturnType<Cluster['run']> =>
      cluster.run('kubectl', ['create', '--dry-run=server', '--validate=strict', '--filename', '-'], { input });

    it.each(files)('%s is taken by an API server that refuses what it does not know', async (name) => {
      const text = await readFile(`${folder}/${name}`, 'utf8');
      expect(await dryRun(text)).toMatchObject({ code: 0 });
      // Some field of every document in another spelling.
      const fields = ['action: CUSTOM', 'mode: STRICT', 'credentialName:'].filter((field) => text.includes(field));
      expect(fields).not.toEqual([]);
      for (const field of fields) expect(await dryRun(text.replace(field, `x${field}`))).not.toMatchObject({ code: 0 });
    });
  });

  describe(`${title}: mesh-config.yaml`, () => {
    let mesh: JsonObject;
    beforeAll(async () => {
      const values: unknown = parse(await readFile(`${folder}/mesh-config.yaml`, 'utf8'));
      mesh = objectAt(isJsonObject(values) ? values : {}, 'meshConfig');
    });

    it('names only fields that are there', async () => {
      const [provider = {}] = objectsAt(mesh, 'extensionProviders');
      const grpc = await fieldsOf('EnvoyExternalAuthorizationGrpcProvider');
      expect(Object.keys(objectAt(provider, 'envoyExtAuthzGrpc')).filter((name) => !grpc.has(name))).toEqual([]);
      expect([
        grpc.get('failOpen'),
        grpc.get('statusOnError'),
        grpc.get('timeout'),
        grpc.has('failureModeAllow'),
      ]).toEqual(['bool', 'string', 'google.protobuf.Duration', false]);
      const known = await fieldsOf('MeshConfig');
      expect(Object.keys(mesh).filter((name) => !known.has(name))).toEqual([]);
      expect((await fieldsOf('ExtensionProvider')).has('envoyExtAuthzGrpc')).toBe(true);
    });

    it('has nothing in Istio that would send context extensions, route metadata or raw headers', async () => {
      expect([...(await fieldsOf('EnvoyExternalAuthorizationGrpcProvider')).keys()].toSorted()).toEqual([
        'clearRouteCache',
        'failOpen',
        'includeRequestBodyInCheck',
        'port',
        'service',
        'statusOnError',
        'timeout',
      ]);
    });

    it('closes where nobody answers, soon, and normalises paths', () => {
      expect(mesh).toEqual({
        extensionProviders: [
          {
            name: 'portcullis',
            envoyExtAuthzGrpc: {
              service: 'portcullis.portcullis.svc.cluster.local',
              port: 9001,
              timeout: '0.5s',
              failOpen: false,
              statusOnError: '503',
            },
          },
        ],
        pathNormalization: { normalization: 'MERGE_SLASHES' },
      });
    });

    it('is what every AuthorizationPolicy names, and none leaves a request out', async () => {
      const text = await readFile(`${folder}/authorization-policy.yaml`, 'utf8');
      const specs = parseAllDocuments(text).map((document): unknown => document.toJS());
      expect(specs.map((document) => (isJsonObject(document) ? document['spec'] : undefined))).toEqual([
        {
          selector: { matchLabels: { istio: 'ingress' } },
          action: 'CUSTOM',
          provider: { name: 'portcullis' },
          rules: [{}],
        },
        {
          selector: { matchLabels: { app: 'orders' } },
          action: 'CUSTOM',
          provider: { name: 'portcullis' },
          rules: [{}],
        },
      ]);
    });
  });
}
