import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { ApiFailure } from '../../../src/kubernetes/api-failure.ts';
import { materialCollection, policyCollection } from '../../../src/kubernetes/collection.ts';
import type { ApiRequest, KubernetesApi } from '../../../src/kubernetes/kubernetes-api.ts';
import { firstPage, listAll, type PageSize } from '../../../src/kubernetes/list-all.ts';
import { boundsOfCut, documentBounds } from '../../../src/kubernetes/object-bounds.ts';
import { objectOf } from './fake-api.ts';
import { createManualTime } from './manual-time.ts';

const collection = policyCollection('AccessPolicy', undefined, '');

/** A server whose objects have these sizes, and a client that takes pages of 10. */
function serverOf(sizes: readonly number[]): { readonly api: KubernetesApi; readonly asked: string[] } {
  const asked: string[] = [];
  const request = async ({ query = {}, isMetadataOnly = false, bounds }: ApiRequest): Promise<JsonObject> => {
    const [from, limit] = [Number(query['continue'] ?? 0), Number(query['limit'])];
    asked.push(`${from}+${limit}${isMetadataOnly ? ' metadata' : ''}`);
    expect(bounds).toBe(documentBounds);
    const page = sizes.slice(from, from + limit);
    if (!isMetadataOnly && page.reduce((sum, size) => sum + size, 0) > 10) throw new ApiFailure('api_too_large', 'x');
    const more = from + limit < sizes.length ? { continue: `${from + limit}` } : {};
    const items = page.map((_, index) => objectOf(`p${from + index}`, from + index + 1));
    return { metadata: { resourceVersion: '9', ...more }, items };
  };
  return { asked, api: { request, watch: () => Promise.reject(new Error('no')), close: async () => undefined } };
}

async function list(api: KubernetesApi, page: PageSize): Promise<readonly string[]> {
  const { signal } = new AbortController();
  const read = (object: JsonObject): string => {
    const name = (object['metadata'] as JsonObject)['name'];
    return `${typeof name === 'string' ? name : ''}${boundsOfCut(object) === documentBounds ? ' cut' : ''}`;
  };
  return (await listAll({ api, ...createManualTime() }, collection, { signal, page, read })).items;
}

describe('a list', () => {
  it('is asked for in smaller pages where they are too large, from there on and the next time', async () => {
    const { api, asked } = serverOf([5, 5, 5, 5, 5, 5]);
    const page = { size: 4, max: 100 };
    expect(await list(api, page)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5']);
    expect(asked).toEqual(['0+4', '0+2', '2+3', '2+1', '3+2', '5+3']);
    asked.length = 0;
    await list(api, page);
    expect(asked.slice(0, 2)).toEqual(['0+4', '0+2']);
  });

  it('passes over an object that alone is too large, of which the metadata is read, and has all others', async () => {
    const { api, asked } = serverOf([1, 99, 1]);
    expect(await list(api, { size: 2, max: 100 })).toEqual(['p0', 'p1 cut', 'p2']);
    expect(asked).toEqual(['0+2', '0+1', '1+2', '1+1', '1+1 metadata', '2+1']);
  });

  it('of one object by its name is asked for once, and its metadata where it is too large', async () => {
    const { api, asked } = serverOf([99]);
    const named = materialCollection({ kind: 'ConfigMap', namespace: 'shop', name: 'p0' });
    expect([firstPage(named).max, firstPage(collection).max]).toEqual([1, 100]);
    expect(await list(api, firstPage(named))).toEqual(['p0 cut']);
    expect(asked).toEqual(['0+1', '0+1 metadata']);
  });

  it('grows its pages again, to a hundred and no further', async () => {
    const { api } = serverOf(Array.from({ length: 300 }, () => 0));
    const page = { size: 50, max: 100 };
    expect(await list(api, page)).toHaveLength(300);
    expect(page.size).toBe(100);
  });
});
