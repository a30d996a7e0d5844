import type { JsonObject } from '../../../src/core/json.ts';

/** For `filter` of a stand: an Envoy that waits for the check as long as that waits for others, also on a busy machine. */
export const patientFilter: JsonObject = {
  grpc_service: { envoy_grpc: { cluster_name: 'portcullis' }, timeout: '10s' },
};
