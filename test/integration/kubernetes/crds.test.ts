import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { toClusterDocument } from '../../../src/kubernetes/cluster-document.ts';
import { readMeta } from '../../../src/kubernetes/api-object.ts';
import { parseDocument, type ParsedDocument } from '../../../src/policy/parse-document.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { mutate } from '../../support/kubernetes/mutate-document.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';
import { waitEstablished } from '../../support/kubernetes/wait-established.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** What the API server lets through and the parser refuses: misspelt fields, which it has to see, and what needs more than a shape. */
const parserOnlyFile = fileURLToPath(new URL('parser-only.txt', import.meta.url));
const settings = { serviceNamespace: 'portcullis' };
const plurals: Readonly<Record<string, string>> = {
  AccessPolicy: 'accesspolicies',
  ClusterAccessPolicy: 'clusteraccesspolicies',
  IdentityProvider: 'identityproviders',
  ClusterIdentityProvider: 'clusteridentityproviders',
};

/**
 * Where an API server takes a slip away without a word and our parser sees nothing of it, though it would refuse it in a file: the places
 * where nothing restricts, so that nothing is loosened.
 */
const prunedWithoutHarm: readonly RegExp[] = [
  // Without them more is refused.
  /: spec\.paths\.(?:parameters|allowEncoded)$/u,
  // What a document refers to by fields that are all required.
  /^beside an unknown one: spec\.basic\.secretRef\./u,
  // How an answer is dressed.
  /: spec(?:\.rules\[\])?\.response\./u,
  // A field that no header of a service has.
  /^beside an unknown one: spec(?:\.rules\[\])?\.upstream\.headers\[\]\./u,
  // A reference is all said by its name and key, which both must be there.
  /^beside an unknown one: spec\.clientCertificate\.(?:caRef|crlRef)\.(?:name|key)$/u,
  /^beside an unknown one: spec\.introspection\.(?:caRef\.(?:name|key)|clientAuthentication\.secretRef\.name)$/u,
  // What is null has its default, as if it were not there.
  /^null: spec\.(?:mode|onInvalid)$/u,
  /^null: spec(?:\.rules\[\])?\.authentication\.providers\[\]\.kind$/u,
  /^beside an unknown one: spec\.jwt\.events\.authorizationRef\./u,
];

describeWithCluster('the CRDs on a real API server', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.kubectl('apply', '--server-side', '--filename', join(root, 'deploy/crds.yaml'));
    await waitEstablished(cluster, '--all');
    await cluster.kubectl('create', 'namespace', 'shop');
  });
  afterAll(() => cluster?.stop());

  const documentsOf = async (...files: readonly string[]): Promise<readonly AuthorDocument[]> => {
    const texts = await Promise.all(
      files.map(async (file) => readDocuments(file, await readFile(join(root, file), 'utf8'))),
    );
    return texts.flat().filter(({ value }) => isJsonObject(value) && Object.hasOwn(plurals, kindOf(value)));
  };
  const contract = (): Promise<readonly AuthorDocument[]> =>
    documentsOf(
      'test/contract/access-policies.yaml',
      'test/contract/access-policies-more.yaml',
      'test/contract/identity-providers.yaml',
      'test/contract/identity-providers-more.yaml',
    );

  /** What the server would store, or why it would not. */
  const send = async (
    document: JsonObject,
    fieldValidation: 'Ignore' | 'Strict' | undefined,
  ): Promise<{ stored: JsonObject } | { refused: string }> => {
    const kind = kindOf(document);
    const namespace = kind.startsWith('Cluster') ? '' : '/namespaces/shop';
    const query = `dryRun=All${fieldValidation === undefined ? '' : `&fieldValidation=${fieldValidation}`}`;
    const metadata = isJsonObject(document['metadata']) ? document['metadata'] : {};
    const { status, body } = await cluster.request({
      method: 'POST',
      path: `/apis/portcullis.dev/v1alpha1${namespace}/${plurals[kind] ?? ''}?${query}`,
      body: { ...document, metadata: { name: metadata['name'] ?? 'x' } },
    });
    if (status === 201 && isJsonObject(body)) return { stored: body };
    return { refused: isJsonObject(body) ? textOf(body['message']) : `status ${status}` };
  };
  /** What our parser makes of what the server stored. */
  const parseStored = (stored: JsonObject): ParsedDocument => {
    const metadata = { uid: 'dry-run', resourceVersion: '1', ...(stored['metadata'] as JsonObject) };
    const object = { ...stored, metadata };
    return parseDocument(
      toClusterDocument(object, readMeta({ metadata: { ...metadata, uid: 'u', resourceVersion: '1' } }), kindOf(stored))
        .document,
      settings,
    );
  };

  it('are structural, established, and small enough for every client', async () => {
    const list: unknown = JSON.parse(await cluster.kubectl('get', 'crd', '--output', 'json'));
    const items = isJsonObject(list) && Array.isArray(list['items']) ? (list['items'] as readonly JsonObject[]) : [];
    const conditions = items.map((crd) => {
      const { name } = crd['metadata'] as JsonObject;
      const found = (crd['status'] as JsonObject)['conditions'] as readonly JsonObject[];
      return [
        name,
        found
          .map(({ type, status }) => `${textOf(type)}=${textOf(status)}`)
          .sort()
          .join(' '),
      ];
    });
    expect(conditions).toEqual(
      Object.values(plurals)
        .sort()
        .map((plural) => [`${plural}.portcullis.dev`, 'Established=True NamesAccepted=True']),
    );
    for (const crd of items) expect(JSON.stringify(crd['spec']).length).toBeLessThan(256 * 1024);
  });

  it('accept every document of the contract and of the examples, strictly', async () => {
    const examples = ['quickstart', 'floor', 'step-up', 'tenant-header', 'roles', 'custom-denials'].map(
      (name) => `examples/${name}/policy.yaml`,
    );
    const documents = [...(await contract()), ...(await documentsOf(...examples))];
    expect(documents.length).toBeGreaterThan(20);
    for (const { value, source } of documents) {
      const answer = await send(value as JsonObject, 'Strict');
      expect([source, kindOf(value), 'refused' in answer ? answer.refused : 'stored']).toEqual([
        source,
        kindOf(value),
        'stored',
      ]);
    }
  });

  it('S2: a slip never allows more than its author wrote, whoever sends it and however', async () => {
    let sent = 0;
    const loosened: string[] = [];
    const strictOnly: string[] = [];
    const parserOnly = new Set<string>();
    for (const { value } of await contract()) {
      const document = value as JsonObject;
      const asIs = parseDocument(toDocument(document), settings);
      // A document that this version does not build is refused with and without a slip.
      if (asIs.kind !== 'accepted') continue;
      for (const mutation of mutate(document)) {
        const written = parseDocument(toDocument(mutation.document), settings);
        const answer = await send(mutation.document, sent % 2 === 0 ? 'Ignore' : undefined);
        sent++;
        if ('refused' in answer) {
          if (written.kind === 'accepted') strictOnly.push(`${mutation.title}: ${answer.refused}`);
          continue;
        }
        const stored = parseStored(answer.stored).kind;
        if (written.kind !== 'accepted' && stored !== 'accepted') parserOnly.add(mutation.title);
        if (written.kind !== 'accepted' && stored === 'accepted' && !isHarmless(mutation.title))
          loosened.push(mutation.title);
      }
    }
    expect(sent).toBeGreaterThan(500);
    expect({ loosened: [...new Set(loosened)], strictOnly: [...new Set(strictOnly)] }).toEqual({
      loosened: [],
      strictOnly: [],
    });
    // Another list means that the schema says more or less than before: look at it, and write it with UPDATE_LISTS=1.
    const list = `${[...parserOnly].sort().join('\n')}\n`;
    if (process.env['UPDATE_LISTS'] === '1') await writeFile(parserOnlyFile, list);
    expect(list).toBe(await readFile(parserOnlyFile, 'utf8'));
  }, 180_000);

  it('S2: Helm 3 sends a misspelt field, the server keeps it, and the parser refuses it by its name', async () => {
    await cluster.run('kubectl', ['create', '--validate=ignore', '--filename', '-'], {
      input: JSON.stringify({
        apiVersion: 'portcullis.dev/v1alpha1',
        kind: 'AccessPolicy',
        metadata: { name: 'misspelt', namespace: 'shop' },
        spec: {
          hosts: ['api.example.com'],
          adresses: { allow: ['10.0.0.0/8'] },
          rules: [{ name: 'a', matches: [{ path: { type: 'PathPrefix', value: '/' } }], access: 'Public' }],
        },
      }),
    });
    const stored: unknown = JSON.parse(
      await cluster.kubectl('get', 'accesspolicy', 'misspelt', '--namespace', 'shop', '--output', 'json'),
    );
    const parsed = parseStored(stored as JsonObject);
    expect(parsed.problems.map(({ code, field, message }) => [code, field, message])).toEqual([
      ['unknown-field', 'spec.adresses', 'spec has no field "adresses"; did you mean addresses?'],
    ]);
  });

  it('read well with kubectl explain', async () => {
    const text = await cluster.kubectl('explain', 'accesspolicy.spec.rules.authorization.claims');
    expect(text).toContain('Tests of claims, all of which must hold.');
    expect(text).toContain('exists\t<boolean>');
  });

  it('say what fields ask of each other in words', async () => {
    const answer = await send(
      {
        apiVersion: 'portcullis.dev/v1alpha1',
        kind: 'AccessPolicy',
        metadata: { name: 'x' },
        spec: {
          hosts: ['a.example.com'],
          attachment: 'Named',
          rules: [{ name: 'a', matches: [{ methods: ['GET'] }], access: 'Restricted' }],
        },
      },
      'Strict',
    );
    expect('refused' in answer && answer.refused).toContain(
      'a policy has exactly one of hosts, targetRefs and attachment',
    );
    expect('refused' in answer && answer.refused).toContain('access Restricted needs authorization');
  });
});

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function isHarmless(title: string): boolean {
  return prunedWithoutHarm.some((place) => place.test(title));
}

function kindOf(value: JsonValue): string {
  const kind = isJsonObject(value) ? value['kind'] : undefined;
  return typeof kind === 'string' ? kind : '';
}

function toDocument(value: JsonObject): AuthorDocument {
  return {
    value,
    source: 'test',
    problems: [],
    placeOf: () => ({ source: 'test', line: undefined, column: undefined }),
  };
}
