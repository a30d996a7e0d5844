import { isJsonObject, type JsonObject } from '../core/json.ts';
import { ApiFailure, isApiFailure } from './api-failure.ts';
import { memberObject, readResourceVersion } from './api-object.ts';
import type { Collection } from './collection.ts';
import type { KubernetesApi } from './kubernetes-api.ts';

export interface Listed<T> {
  readonly items: readonly T[];
  /** Where a watch takes up. */
  readonly resourceVersion: string;
}

/** Small enough that parsing a page does not hold up requests. */
const pageSize = 100;

/**
 * Reads a collection page by page, as it is now (no resourceVersion: the most recent state, never one that a cache remembers). A list that
 * becomes too old between two pages (410) is begun anew once, and pages that are too large are made smaller. Of each object only what `read`
 * makes of it is kept: whole objects of a large cluster would fill the memory. Throws an ApiFailure, and what `read` throws.
 */
export async function listAll<T>(
  api: KubernetesApi,
  collection: Collection,
  signal: AbortSignal,
  read: (object: JsonObject) => T,
): Promise<Listed<T>> {
  let limit = pageSize;
  for (let attempt = 1; ; attempt++) {
    try {
      return await listPages(api, collection, limit, signal, read);
    } catch (thrown) {
      const isTooLarge = isApiFailure(thrown, 'api_too_large') && limit > 1;
      const isTooOld = isApiFailure(thrown, 'api_gone') && attempt < 3;
      if (!isTooLarge && !isTooOld) throw thrown;
      if (isTooLarge) limit = Math.max(1, Math.floor(limit / 8));
    }
  }
}

async function listPages<T>(
  api: KubernetesApi,
  { path, query, name, kind, apiVersion }: Collection,
  limit: number,
  signal: AbortSignal,
  read: (object: JsonObject) => T,
): Promise<Listed<T>> {
  const all: T[] = [];
  let next = '';
  for (;;) {
    const page = await api.request({
      method: 'GET',
      path,
      query: { ...query, limit: `${limit}`, ...(next === '' ? {} : { continue: next }) },
    });
    if (signal.aborted) throw new ApiFailure('api_unreachable', `the list of ${name} was given up`);
    const { items } = page;
    if (!Array.isArray(items)) throw new ApiFailure('api_malformed', `the list of ${name} has no items`);
    for (const item of items) {
      // The elements of a list do not say their kind.
      if (isJsonObject(item)) all.push(read({ ...item, kind, apiVersion }));
    }
    const following = memberObject(page, 'metadata')['continue'];
    if (typeof following !== 'string' || following === '')
      return { items: all, resourceVersion: readResourceVersion(page) };
    next = following;
  }
}
