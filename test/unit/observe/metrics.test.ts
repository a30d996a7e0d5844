import { describe, expect, test } from 'vitest';
import { reasons } from '../../../src/core/reason.ts';
import type { DocumentStatus, ServiceStatus } from '../../../src/core/status.ts';
import { createMetrics, type Metrics } from '../../../src/observe/metrics.ts';
import { allowed, canary, denied, frozenClock, request } from './observe-fixtures.ts';

function create(): Metrics {
  return createMetrics({ clock: frozenClock, version: '1.2.3', processMetrics: false });
}

/** The samples of the metric, without help and type. */
async function samplesOf(metrics: Metrics, name: string): Promise<readonly string[]> {
  const { text } = await metrics.expose();
  return text.split('\n').filter((line) => new RegExp(`^${name}(_bucket|_sum|_count)?[{ ]`).test(line));
}

describe('decisions', () => {
  test('are counted by outcome and code', async () => {
    const metrics = create();
    metrics.decisions.record(allowed(), request(), 1);
    metrics.decisions.record(allowed(), request(), 1);
    metrics.decisions.record(denied('token_expired'), undefined, 1);
    const samples = await samplesOf(metrics, 'portcullis_decisions_total');
    expect(samples.filter((line) => !line.endsWith(' 0'))).toEqual([
      'portcullis_decisions_total{decision="allow",code="ok"} 2',
      'portcullis_decisions_total{decision="deny",code="token_expired"} 1',
    ]);
  });

  test('have a series for every code from the start, so that the first denial is an increase', async () => {
    expect(await samplesOf(create(), 'portcullis_decisions_total')).toHaveLength(Object.keys(reasons).length + 1);
  });

  test('are timed in buckets from 50 µs to 5 s', async () => {
    const metrics = create();
    for (const milliseconds of [0.05, 0.06, 4999, 6000]) metrics.decisions.record(allowed(), request(), milliseconds);
    const samples = await samplesOf(metrics, 'portcullis_check_duration_seconds');
    expect(samples).toEqual(
      expect.arrayContaining([
        'portcullis_check_duration_seconds_bucket{le="0.00005"} 1',
        'portcullis_check_duration_seconds_bucket{le="0.0001"} 2',
        'portcullis_check_duration_seconds_bucket{le="2.5"} 2',
        'portcullis_check_duration_seconds_bucket{le="5"} 3',
        'portcullis_check_duration_seconds_bucket{le="+Inf"} 4',
        'portcullis_check_duration_seconds_count 4',
      ]),
    );
  });

  test('nothing that a client chose makes a series or stands in the text', async () => {
    const metrics = create();
    const before = (await metrics.expose()).text.split('\n').length;
    for (let i = 0; i < 50; i++)
      metrics.decisions.record(allowed(), request({ path: `/${canary}/${i}`, host: `${canary}${i}` }), 1);
    const { text } = await metrics.expose();
    expect([text.split('\n').length, text.includes(canary)]).toEqual([before, false]);
  });
});

test('expressions without a value are counted by place, each place from the start', async () => {
  const metrics = create();
  metrics.expressions.expressionFailed('denied_rule');
  expect(await samplesOf(metrics, 'portcullis_expression_errors_total')).toEqual([
    'portcullis_expression_errors_total{place="condition"} 0',
    'portcullis_expression_errors_total{place="denied_rule"} 1',
    'portcullis_expression_errors_total{place="header"} 0',
    'portcullis_expression_errors_total{place="kubernetes"} 0',
  ]);
});

test('questions to the API server are counted by what became of them, and those that were asked are measured', async () => {
  const metrics = create();
  metrics.reviews.reviewed('token', 'granted', 20);
  metrics.reviews.reviewed('access', 'skipped', 0);
  const counted = await samplesOf(metrics, 'portcullis_kubernetes_reviews_total');
  expect(counted).toHaveLength(8);
  expect(counted.filter((line) => !line.endsWith(' 0'))).toEqual([
    'portcullis_kubernetes_reviews_total{review="token",result="granted"} 1',
    'portcullis_kubernetes_reviews_total{review="access",result="skipped"} 1',
  ]);
  const { text } = await metrics.expose();
  const counts = text
    .split('\n')
    .filter((line) => line.startsWith('portcullis_kubernetes_review_duration_seconds_count'));
  expect(counts).toEqual(['portcullis_kubernetes_review_duration_seconds_count{review="token"} 1']);
});

test('look-ups of tokens and fetches of keys are counted', async () => {
  const { identity, ...metrics } = create();
  identity.tokenCache('hit');
  identity.tokenCache('hit');
  identity.tokenCache('miss');
  identity.keyFetch('IdentityProvider shop/okta', 'failed', 250);
  const all = { identity, ...metrics };
  expect(await samplesOf(all, 'portcullis_token_cache_requests_total')).toEqual([
    'portcullis_token_cache_requests_total{result="hit"} 2',
    'portcullis_token_cache_requests_total{result="miss"} 1',
  ]);
  expect(await samplesOf(all, 'portcullis_key_fetches_total')).toEqual([
    'portcullis_key_fetches_total{provider="IdentityProvider shop/okta",result="ok"} 0',
    'portcullis_key_fetches_total{provider="IdentityProvider shop/okta",result="failed"} 1',
  ]);
  expect(await samplesOf(all, 'portcullis_key_fetch_duration_seconds')).toContain(
    'portcullis_key_fetch_duration_seconds_sum{provider="IdentityProvider shop/okta"} 0.25',
  );
});

test('introspections are counted by result, each from the start, and those that were made are timed', async () => {
  const { identity, ...metrics } = create();
  const provider = 'IdentityProvider shop/opaque';
  identity.introspection(provider, 'active', 250);
  identity.introspection(provider, 'skipped', 0);
  const all = { identity, ...metrics };
  expect(await samplesOf(all, 'portcullis_introspection_requests_total')).toEqual(
    Object.entries({ active: 1, inactive: 0, failed: 0, skipped: 1 }).map(
      ([result, times]) =>
        `portcullis_introspection_requests_total{provider="${provider}",result="${result}"} ${times}`,
    ),
  );
  expect(await samplesOf(all, 'portcullis_introspection_duration_seconds')).toEqual(
    expect.arrayContaining([
      `portcullis_introspection_duration_seconds_sum{provider="${provider}"} 0.25`,
      `portcullis_introspection_duration_seconds_count{provider="${provider}"} 1`,
    ]),
  );
});

test('ends of workers are counted by reason, each from the start, and only where there are workers', async () => {
  const metrics = create();
  const samples = (): Promise<readonly string[]> => samplesOf(metrics, 'portcullis_worker_exits_total');
  expect(await samples()).toEqual([]);
  metrics.observeProcesses(() => Promise.resolve([]));
  metrics.workerEnded('hung');
  expect(await samples()).toEqual(
    [
      ['died', 0],
      ['unstarted', 0],
      ['hung', 1],
      ['late', 0],
      ['failed', 0],
    ].map(([reason, count]) => `portcullis_worker_exits_total{reason="${reason}"} ${count}`),
  );
});

test('collections of the API server are counted by whether they are followed, and only where there is a cluster', async () => {
  const metrics = create();
  expect(await samplesOf(metrics, 'portcullis_watches')).toEqual([]);
  metrics.observeWatches(() => [{ failure: undefined }, { failure: 'connection refused' }, { failure: undefined }]);
  expect(await samplesOf(metrics, 'portcullis_watches')).toEqual([
    'portcullis_watches{state="failing"} 1',
    'portcullis_watches{state="followed"} 2',
  ]);
});

describe('the status', () => {
  const document = (name: string, serving: DocumentStatus['serving']): DocumentStatus => ({
    key: `AccessPolicy shop/${name}`,
    kind: 'AccessPolicy',
    namespace: 'shop',
    name,
    accepted: serving === 'current',
    serving,
    problems: [],
    version: undefined,
    servedGeneration: undefined,
    conflicts: [],
    targets: [],
    isUnrouted: false,
  });
  const status: ServiceStatus = {
    ready: true,
    revision: 7,
    lastReadAt: frozenClock.now() - 1500,
    documents: [
      document('a', 'current'),
      document('b', 'current'),
      document('c', 'last-good'),
      document('d', 'refused'),
    ],
    providers: [
      { key: 'IdentityProvider shop/okta', keys: 2, keyAgeSeconds: 30, lastError: undefined },
      { key: 'IdentityProvider shop/inline', keys: 1, keyAgeSeconds: undefined, lastError: undefined },
    ],
    problems: [],
  };
  const names = ['ready', 'policy_revision', 'policy_age_seconds', 'documents', 'keys', 'key_age_seconds'];
  const all = async (metrics: Metrics): Promise<readonly string[]> =>
    (await Promise.all(names.map((name) => samplesOf(metrics, `portcullis_${name}`)))).flat();

  test('is read anew for each exposition', async () => {
    const metrics = create();
    metrics.observeStatus(() => status);
    expect(await all(metrics)).toEqual([
      'portcullis_ready 1',
      'portcullis_policy_revision 7',
      'portcullis_policy_age_seconds 1.5',
      'portcullis_documents{state="current"} 2',
      'portcullis_documents{state="last-good"} 1',
      'portcullis_documents{state="refused"} 1',
      'portcullis_keys{provider="IdentityProvider shop/okta"} 2',
      'portcullis_keys{provider="IdentityProvider shop/inline"} 1',
      'portcullis_key_age_seconds{provider="IdentityProvider shop/okta"} 30',
    ]);
  });

  test('does not tell of a provider that is gone', async () => {
    const metrics = create();
    let current = status;
    metrics.observeStatus(() => current);
    await metrics.expose();
    current = { ...status, providers: [] };
    expect((await all(metrics)).filter((line) => line.includes('provider='))).toEqual([]);
  });

  test('before there is one says that nothing serves', async () => {
    expect(await all(create())).toEqual([
      'portcullis_ready 0',
      'portcullis_policy_revision 0',
      'portcullis_documents{state="current"} 0',
      'portcullis_documents{state="last-good"} 0',
      'portcullis_documents{state="refused"} 0',
    ]);
  });
});

describe('TLS', () => {
  const names = ['certificate_expiry_seconds', 'reloads_total', 'handshakes_total'];
  const all = async (metrics: Metrics): Promise<readonly string[]> =>
    (await Promise.all(names.map((name) => samplesOf(metrics, `portcullis_tls_${name}`)))).flat();

  test('is counted from zero on, and without it no certificate ends', async () => {
    expect(await all(create())).toEqual([
      'portcullis_tls_reloads_total{result="ok"} 0',
      'portcullis_tls_reloads_total{result="failed"} 0',
      'portcullis_tls_handshakes_total{result="ok"} 0',
      'portcullis_tls_handshakes_total{result="refused"} 0',
      'portcullis_tls_handshakes_total{result="aborted"} 0',
    ]);
  });

  test('tells how long what is in use is good for, below zero once it is past', async () => {
    const metrics = create();
    const expiry = (): Promise<readonly string[]> => samplesOf(metrics, 'portcullis_tls_certificate_expiry_seconds');
    metrics.tls.inUse({ endsAt: frozenClock.now() + 90_500, clientCaEndsAt: frozenClock.now() - 1000 });
    expect(await expiry()).toEqual([
      'portcullis_tls_certificate_expiry_seconds{certificate="server"} 90.5',
      'portcullis_tls_certificate_expiry_seconds{certificate="client-ca"} -1',
    ]);
    metrics.tls.inUse({ endsAt: frozenClock.now() + 3_600_000, clientCaEndsAt: undefined });
    expect((await expiry())[0]).toBe('portcullis_tls_certificate_expiry_seconds{certificate="server"} 3600');
  });

  test('counts handshakes and reloads by their ends', async () => {
    const metrics = create();
    metrics.tls.handshake('ok');
    metrics.tls.handshake('refused');
    metrics.tls.reload('ok');
    metrics.tls.reload('failed');
    expect((await all(metrics)).filter((line) => line.endsWith(' 1'))).toEqual([
      'portcullis_tls_reloads_total{result="ok"} 1',
      'portcullis_tls_reloads_total{result="failed"} 1',
      'portcullis_tls_handshakes_total{result="ok"} 1',
      'portcullis_tls_handshakes_total{result="refused"} 1',
    ]);
  });
});

test('methods of gRPC are counted and timed as existing dashboards ask for them', async () => {
  const metrics = create();
  const method = metrics.grpc.bind('/envoy.service.auth.v3.Authorization/Check', 'unary');
  method.started();
  method.started();
  method.handled('OK', 2);
  const labels = 'grpc_type="unary",grpc_service="envoy.service.auth.v3.Authorization",grpc_method="Check"';
  expect(await samplesOf(metrics, 'grpc_server_started_total')).toEqual([`grpc_server_started_total{${labels}} 2`]);
  const handled = await samplesOf(metrics, 'grpc_server_handled_total');
  expect(handled).toContain(`grpc_server_handled_total{${labels},grpc_code="OK"} 1`);
  expect(handled).toContain(`grpc_server_handled_total{${labels},grpc_code="Unavailable"} 0`);
  expect(await samplesOf(metrics, 'grpc_server_handling_seconds')).toContain(
    `grpc_server_handling_seconds_sum{${labels}} 0.002`,
  );
});

test('a stream has no latency', async () => {
  const metrics = create();
  metrics.grpc.bind('/grpc.health.v1.Health/Watch', 'server_stream').handled('CANCELLED', 60_000);
  expect(await samplesOf(metrics, 'grpc_server_handling_seconds')).toEqual([]);
});

test('lost log lines, uncaught errors and the version are told', async () => {
  const metrics = create();
  metrics.logLinesDropped(3);
  metrics.uncaught('rejection');
  const { text, contentType } = await metrics.expose();
  expect(text).toContain('portcullis_log_lines_dropped_total 3\n');
  expect(text).toContain('portcullis_uncaught_errors_total{kind="exception"} 0\n');
  expect(text).toContain('portcullis_uncaught_errors_total{kind="rejection"} 1\n');
  expect(text).toContain(`portcullis_build_info{version="1.2.3",node="${process.versions.node}"} 1\n`);
  expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
});
