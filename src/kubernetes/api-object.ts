import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { ApiFailure } from './api-failure.ts';

/** What every object of the API says of itself. */
export interface ObjectMeta {
  /** Empty for objects of the cluster. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** 0 for kinds without generations. */
  readonly generation: number;
  /** Milliseconds since the epoch; 0 where the server does not say. */
  readonly createdAt: number;
}

/** Reads `metadata`. Throws an ApiFailure where the name, the uid or the resourceVersion is missing: then it is no object. */
export function readMeta(object: JsonObject): ObjectMeta {
  const metadata = memberObject(object, 'metadata');
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp } = metadata;
  if (!isText(name) || !isText(uid) || !isText(resourceVersion))
    throw new ApiFailure('api_malformed', 'an object has no metadata.name, uid or resourceVersion');
  const createdAt = isText(creationTimestamp) ? Date.parse(creationTimestamp) : 0;
  return {
    name,
    namespace: isText(namespace) ? namespace : '',
    uid,
    resourceVersion,
    generation: typeof generation === 'number' ? generation : 0,
    createdAt: Number.isNaN(createdAt) ? 0 : createdAt,
  };
}

/** `metadata.resourceVersion` of a list or a bookmark; throws an ApiFailure where there is none. */
export function readResourceVersion(object: JsonObject): string {
  const { resourceVersion } = memberObject(object, 'metadata');
  if (!isText(resourceVersion)) throw new ApiFailure('api_malformed', 'the answer has no resourceVersion');
  return resourceVersion;
}

/** The member, or an empty object where it is absent or none. */
export function memberObject(object: JsonObject, name: string): JsonObject {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return isJsonObject(value) ? value : {};
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '';
}
