export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  /** Upper bounds of a histogram, seconds. */
  readonly buckets?: readonly number[];
}

/** From what a remembered token takes to what nobody waits for. */
const checkBuckets = [
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
] as const;
const fetchBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
const grpcLabels = ['grpc_type', 'grpc_service', 'grpc_method'] as const;

/**
 * Every metric of ours; docs/metrics.md lists the same ones, and a test holds both ways. No label has a value that a client chooses. Beside these
 * there are prom-client's default metrics (`process_*`, `nodejs_*`).
 */
export const metricTable = {
  portcullis_decisions_total: {
    type: 'counter',
    labels: ['decision', 'code'],
    help: 'Decisions by outcome (allow, deny) and reason code (ok for an allow).',
  },
  portcullis_check_duration_seconds: {
    type: 'histogram',
    labels: [],
    buckets: checkBuckets,
    help: 'Time from the arrival of a check to its decision.',
  },
  portcullis_expression_errors_total: {
    type: 'counter',
    labels: ['place'],
    help: 'Evaluations of expressions that gave no value, by place (condition, denied_rule, header, kubernetes); those of policies in shadow mode too.',
  },
  portcullis_token_cache_requests_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Look-ups in the cache of verified tokens by result (hit, miss).',
  },
  portcullis_key_fetches_total: {
    type: 'counter',
    labels: ['provider', 'result'],
    help: 'Fetches of keys by identity provider and result (ok, failed).',
  },
  portcullis_key_fetch_duration_seconds: {
    type: 'histogram',
    labels: ['provider'],
    buckets: fetchBuckets,
    help: 'Time that a fetch of keys took, by identity provider.',
  },
  portcullis_introspection_requests_total: {
    type: 'counter',
    labels: ['provider', 'result'],
    help: 'Introspections of tokens by identity provider and result (active, inactive, failed; skipped: not asked, because it does not answer or too many wait).',
  },
  portcullis_introspection_duration_seconds: {
    type: 'histogram',
    labels: ['provider'],
    buckets: fetchBuckets,
    help: 'Time that an introspection took, by identity provider.',
  },
  portcullis_password_checks_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Passwords of Basic providers by result (remembered, right, wrong; busy: too many waited; failed: a bug).',
  },
  portcullis_keys: {
    type: 'gauge',
    labels: ['provider'],
    help: 'Usable keys by identity provider.',
  },
  portcullis_key_age_seconds: {
    type: 'gauge',
    labels: ['provider'],
    help: 'Time since the keys in use were fetched, by identity provider; absent for keys that do not age.',
  },
  portcullis_kubernetes_reviews_total: {
    type: 'counter',
    labels: ['review', 'result'],
    help: 'Questions to the API server by review (token, access) and result (granted, refused, failed; skipped: it was not asked, because it does not answer or too many wait).',
  },
  portcullis_kubernetes_review_duration_seconds: {
    type: 'histogram',
    labels: ['review'],
    buckets: checkBuckets,
    help: 'Time that a question to the API server took, by review; without those skipped.',
  },
  portcullis_revocations: {
    type: 'gauge',
    labels: ['source'],
    help: 'Revocations in force by where they come from (admin, logout, events, file, configMap, shared).',
  },
  portcullis_revocations_readable: {
    type: 'gauge',
    labels: ['source'],
    help: '1 while a list of revocations that others keep can be read, or was within revocationsGrace, else 0: then credentials are denied unless revocationsUnavailable says Ignore. Absent for lists that are not configured.',
  },
  portcullis_revocations_widened: {
    type: 'gauge',
    labels: [],
    help: 'How often everything of an issuer was revoked because there was no room for single revocations.',
  },
  portcullis_identity_signals: {
    type: 'gauge',
    labels: [],
    help: 'Those of whom issuers have signalled something that holds.',
  },
  portcullis_issuer_events_total: {
    type: 'counter',
    labels: ['event', 'result'],
    help: 'What issuers delivered, by event (logout, session-revoked, …, unknown; of what was not taken logout or events) and result (taken, refused, unavailable).',
  },
  portcullis_policy_revision: {
    type: 'gauge',
    labels: [],
    help: 'Number of the policy snapshot in force; 0 before the first.',
  },
  portcullis_policy_age_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Time since the policies were last read without a failure, or confirmed by the API server, which does so every minute; absent before the first time.',
  },
  portcullis_watches: {
    type: 'gauge',
    labels: ['state'],
    help: 'Collections of the API server by whether they are followed (followed, failing); absent without a cluster.',
  },
  portcullis_documents: {
    type: 'gauge',
    labels: ['state'],
    help: 'Policy documents by what serves of them (current, last-good, refused).',
  },
  portcullis_redis_up: {
    type: 'gauge',
    labels: [],
    help: '1 while Redis answers, else 0; absent without Redis.',
  },
  portcullis_ready: {
    type: 'gauge',
    labels: [],
    help: '1 while the service is ready, else 0.',
  },
  portcullis_workers: {
    type: 'gauge',
    labels: ['state'],
    help: 'Worker processes by state (serving; starting; late: serving, and still by an older revision). Absent with one process.',
  },
  portcullis_worker_exits_total: {
    type: 'counter',
    labels: ['reason'],
    help: 'Worker processes that ended and were replaced, by reason (died; or it was ended: unstarted, hung, late, failed). Absent with one process.',
  },
  portcullis_tls_certificate_expiry_seconds: {
    type: 'gauge',
    labels: ['certificate'],
    help: "Time until the gRPC port's certificate (server), or the next of its clients' issuers (client-ca), ends; absent without TLS.",
  },
  portcullis_tls_reloads_total: {
    type: 'counter',
    labels: ['result'],
    help: 'Changes of the TLS files by result (ok; failed: the last good ones stay in use).',
  },
  portcullis_tls_handshakes_total: {
    type: 'counter',
    labels: ['result'],
    help: 'TLS handshakes on the gRPC port by result (ok, refused, aborted).',
  },
  portcullis_log_lines_dropped_total: {
    type: 'counter',
    labels: [],
    help: 'Log lines that could not be written.',
  },
  portcullis_uncaught_errors_total: {
    type: 'counter',
    labels: ['kind'],
    help: 'Errors that nothing caught (exception, rejection), each a bug; the service went on.',
  },
  portcullis_build_info: {
    type: 'gauge',
    labels: ['version', 'node'],
    help: 'Always 1; the labels tell the version of Portcullis and of Node.',
  },
  grpc_server_started_total: {
    type: 'counter',
    labels: grpcLabels,
    help: 'RPCs started on the server.',
  },
  grpc_server_handled_total: {
    type: 'counter',
    labels: [...grpcLabels, 'grpc_code'],
    help: 'RPCs completed on the server, regardless of success or failure.',
  },
  grpc_server_handling_seconds: {
    type: 'histogram',
    labels: grpcLabels,
    buckets: checkBuckets,
    help: 'Response latency of RPCs handled by the server; of unary ones only.',
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof metricTable;
