import type { JsonObject, JsonValue } from '../core/json.ts';
import type { ObjectBounds } from './object-bounds.ts';

/** The API server, as far as we need it. Throws an ApiFailure for everything but a 2xx within the limits. */
export interface KubernetesApi {
  /** One exchange; the JSON of the answer. An object in it that is larger than the bounds is not whole (`boundsOfCut`). */
  request(request: ApiRequest): Promise<JsonObject>;
  /**
   * Opens a watch and resolves with its events as they come, in the batches in which the network brings them. The iteration ends when the
   * server ends it, and throws where it is cut; aborting the signal ends it too.
   */
  watch(request: WatchRequest): Promise<AsyncIterable<readonly WatchEvent[]>>;
  close(): Promise<void>;
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute, such as `/apis/portcullis.dev/v1alpha1/accesspolicies`; names in it are DNS names, so that nothing has to be escaped. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonValue;
  /** Of the body; `application/json` where absent. A patch says which kind it is. */
  readonly contentType?: 'application/json' | 'application/merge-patch+json' | 'application/apply-patch+yaml';
  /** Of each object of the answer; those of documents where absent. */
  readonly bounds?: ObjectBounds;
  /** True: of a list only the metadata of its objects (Kubernetes API concepts, "Metadata-only fetches"). */
  readonly isMetadataOnly?: boolean;
}

export interface WatchRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** As those of an ApiRequest. */
  readonly bounds?: ObjectBounds;
  readonly signal: AbortSignal;
}

/** A watch event (Kubernetes API concepts, "Efficient detection of changes"). */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  /** The object; of an ERROR a Status. */
  readonly object: JsonObject;
}
