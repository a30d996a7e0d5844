import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../src/core/json.ts';
import { readDocuments } from '../../../src/files/read-documents.ts';
import { documentsIn } from '../../support/documents-in.ts';
import { at, textAt } from '../../support/kubernetes/chart.ts';
import type { Cluster } from '../../support/kubernetes/cluster.ts';
import { installCrds } from '../../support/kubernetes/crds.ts';
import { installRouteCrds } from '../../support/kubernetes/route-crds.ts';
import { startCluster } from '../../support/kubernetes/start-cluster.ts';
import { describeWithCluster } from '../../support/kubernetes/with-cluster.ts';

const examples = readdirSync('examples', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml') && !name.endsWith('test.yaml'))
  .map((name) => `examples/${name}`);
const pages = readdirSync('docs')
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const texts: readonly (readonly [string, string])[] = [
  ...examples.map((path) => [path, readFileSync(path, 'utf8')] as const),
  ...pages.map((page) => [page, documentsIn(page)] as const).filter(([, text]) => text !== ''),
];

function objectsIn(text: string): readonly JsonObject[] {
  return readDocuments('-', text)
    .map(({ value }) => value)
    .filter(isJsonObject)
    .filter(({ kind }) => kind !== 'PolicyTest');
}

describeWithCluster('what kubectl makes of the documents that people copy', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await startCluster();
    await installCrds(cluster);
    await installRouteCrds(cluster);
    const namespaces = texts.flatMap(([, text]) => objectsIn(text).map((one) => textAt(one, 'metadata.namespace')));
    for (const name of new Set(namespaces))
      if (name !== '' && name !== 'default') await cluster.kubectl('create', 'namespace', name);
  });
  afterAll(() => cluster?.stop());

  it.each(texts)('of %s is what Portcullis reads, and the API server takes it', async (_path, text) => {
    const ours = objectsIn(text);
    // Each by itself, since a page may show two versions of one object; in the words of the text, which kubectl reads by YAML 1.1.
    const flags = ['--dry-run=client', '--validate=false', '--output=json', '--filename=-'];
    const parts = text.split(/^---.*$/mu).filter((part) => objectsIn(part).length > 0);
    expect(parts).toHaveLength(ours.length);
    for (const [index, part] of parts.entries()) {
      const { code, stdout, stderr } = await cluster.run('kubectl', ['create', ...flags], { input: part });
      expect([code, stderr]).toEqual([0, '']);
      for (const member of ['spec', 'data', 'stringData'])
        expect(at(JSON.parse(stdout), member)).toEqual(at(ours[index], member));
      // The stand-in for the Gateway API has few of its fields.
      if (!textAt(ours[index], 'apiVersion').startsWith('portcullis.dev/')) continue;
      const server = ['--server-side', '--dry-run=server', '--validate=strict', '--filename=-'];
      const taken = await cluster.run('kubectl', ['apply', ...server], { input: part });
      expect([taken.code, taken.stderr]).toEqual([0, '']);
    }
  });

  it('is another value where a text reads like a boolean: the control', async () => {
    const text = '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {key: yes}}';
    const { code, stderr } = await cluster.run('kubectl', ['apply', '--dry-run=server', '--filename=-'], {
      input: text,
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining('bool')]);
  });
});
