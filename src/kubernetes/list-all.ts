import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Clock, Timers } from '../core/ports.ts';
import { ApiFailure, isApiFailure } from './api-failure.ts';
import { memberObject, readResourceVersion } from './api-object.ts';
import type { Collection } from './collection.ts';
import { inSlices } from './in-slices.ts';
import type { ApiRequest, KubernetesApi } from './kubernetes-api.ts';
import { boundsOfCut, markCut } from './object-bounds.ts';

export interface Listed<T> {
  readonly items: readonly T[];
  /** Where a watch takes up. */
  readonly resourceVersion: string;
}

/** How many objects are asked for at once, from one list to the next. */
export interface PageSize {
  size: number;
  /** Where there is one object at most, one that is too large is not asked for again and again in halves of a page. */
  readonly max: number;
}

export interface ListOptions<T> {
  readonly signal: AbortSignal;
  /** Halved where a page is larger than the client takes, and grown again by and by. */
  readonly page: PageSize;
  /** Of each object only what it makes of it is kept: whole objects of a large cluster would fill the memory. */
  readonly read: (object: JsonObject) => T;
}

export interface ListPorts {
  readonly api: KubernetesApi;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** So many usual policies are a few hundred KiB. */
const maxPageSize = 100;

/** The page that the first list of the collection asks for. */
export function firstPage({ query }: Pick<Collection, 'query'>): PageSize {
  const max = query['fieldSelector']?.startsWith('metadata.name=') === true ? 1 : maxPageSize;
  return { size: max, max };
}

/**
 * Reads a collection page by page, as it is now (no resourceVersion: the most recent state, never one that a cache remembers). A list that
 * becomes too old between two pages (410) is begun anew once. Of an object that alone is too large a page only the metadata is read. Throws an
 * ApiFailure, and what `read` throws.
 */
export async function listAll<T>(
  ports: ListPorts,
  collection: Collection,
  options: ListOptions<T>,
): Promise<Listed<T>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await listPages(ports, collection, options);
    } catch (thrown) {
      if (!isApiFailure(thrown, 'api_gone') || attempt === 3) throw thrown;
    }
  }
}

async function listPages<T>(
  ports: ListPorts,
  collection: Collection,
  { signal, page, read }: ListOptions<T>,
): Promise<Listed<T>> {
  const { name, kind, apiVersion } = collection;
  const all: T[] = [];
  let next = '';
  for (;;) {
    const answer = await readPage(ports.api, collection, next, page);
    if (signal.aborted) throw new ApiFailure('api_unreachable', `the list of ${name} was given up`);
    const { items } = answer;
    if (!Array.isArray(items)) throw new ApiFailure('api_malformed', `the list of ${name} has no items`);
    const take = (item: unknown): void => {
      if (!isJsonObject(item)) return;
      // The elements of a list do not say their kind.
      const object: JsonObject = { ...item, kind, apiVersion };
      const bounds = boundsOfCut(item);
      all.push(read(bounds === undefined ? object : markCut(object, bounds)));
    };
    await inSlices(items, take, ports);
    const following = memberObject(answer, 'metadata')['continue'];
    if (typeof following !== 'string' || following === '')
      return { items: all, resourceVersion: readResourceVersion(answer) };
    next = following;
  }
}

/** The page that comes there, as large as the client takes it. */
async function readPage(
  api: KubernetesApi,
  { path, query, bounds }: Collection,
  next: string,
  page: PageSize,
): Promise<JsonObject> {
  for (;;) {
    const more = next === '' ? {} : { continue: next };
    const request: ApiRequest = { method: 'GET', path, query: { ...query, limit: `${page.size}`, ...more }, bounds };
    try {
      const answer = await api.request(request);
      page.size = Math.min(page.max, Math.ceil(page.size * 1.25));
      return answer;
    } catch (thrown) {
      if (!isApiFailure(thrown, 'api_too_large')) throw thrown;
      if (page.size === 1) return passOver(await api.request({ ...request, isMetadataOnly: true }), request);
      page.size = Math.max(1, Math.floor(page.size / 2));
    }
  }
}

/** The page with its objects marked as not whole. */
function passOver(answer: JsonObject, { bounds }: ApiRequest): JsonObject {
  const { items } = answer;
  if (bounds !== undefined && Array.isArray(items))
    for (const item of items) if (isJsonObject(item)) markCut(item, bounds);
  return answer;
}
