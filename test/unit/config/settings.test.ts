import { expect, test } from 'vitest';
import { settingEntries } from '../../../src/runtime/config/settings.ts';
import { resolve } from './config-fixtures.ts';

test('the defaults are those that the documentation promises', () => {
  const resolved = resolve({ PORTCULLIS_POLICIES: 'policies' });
  expect(resolved.ok && resolved.config).toEqual({
    policies: 'policies',
    hostGrants: new Map(),
    namespace: 'portcullis',
    kubeconfig: undefined,
    watchNamespaces: [],
    policySelector: '',
    clusterKinds: true,
    publishStatus: true,
    leaseName: 'portcullis',
    podName: '',
    shadowAll: false,
    ownedHeaders: [],
    grpcAddress: { kind: 'tcp', host: '0.0.0.0', port: 9001 },
    httpAddress: { kind: 'tcp', host: '0.0.0.0', port: 9002 },
    adminAddress: { kind: 'tcp', host: '127.0.0.1', port: 9003 },
    tlsCertificate: undefined,
    tlsKey: undefined,
    tlsClientCa: undefined,
    tlsMinimumVersion: 'TLSv1.2',
    redisUrl: undefined,
    redisUsername: '',
    redisPasswordFile: undefined,
    redisCaFile: undefined,
    redisKeyPrefix: 'portcullis:',
    redisTimeout: 500,
    trustedHops: 0,
    forwardedClientCertFrom: [],
    checkTimeout: 5000,
    transport: 'native',
    maxReceiveBytes: 8_388_608,
    maxHeaders: 200,
    keyRefreshInterval: 600_000,
    keyStaleWindow: 86_400_000,
    keyFetchTimeout: 5000,
    keyLoadTimeout: 10_000,
    tokenCacheEntries: 10_000,
    dpopReplayEntries: 200_000,
    dpopNonceKeyFile: undefined,
    tokenReviewTtl: 30_000,
    allowPrivateAddresses: false,
    allowedPrivateAddresses: [],
    revocationsConfigMap: undefined,
    revocationsFile: undefined,
    revocationsUnavailable: 'Deny',
    revocationsGrace: 300_000,
    revocationRetention: 172_800_000,
    revocationEntries: 100_000,
    signalRetention: 2_592_000_000,
    adminTokenFile: undefined,
    logLevel: 'info',
    logDecisions: 'all',
    logDecisionsSample: 1,
    shutdownDelay: 5000,
    shutdownTimeout: 20_000,
  });
});

test('flags and variables are named after their settings, and each is there once', () => {
  const rows = settingEntries().map(([, { flag, env }]) => [flag, env]);
  const plural = new Map([
    ['--host-grant', 'PORTCULLIS_HOST_GRANTS'],
    ['--owned-header', 'PORTCULLIS_OWNED_HEADERS'],
    ['--watch-namespace', 'PORTCULLIS_WATCH_NAMESPACES'],
    ['--allowed-private-address', 'PORTCULLIS_ALLOWED_PRIVATE_ADDRESSES'],
  ]);
  for (const [flag = '', env] of rows) {
    expect(env).toBe(plural.get(flag) ?? `PORTCULLIS_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`);
  }
  expect(new Set(rows.flat()).size).toBe(rows.length * 2);
});

test('every default is a value that its own setting accepts, but for lists that are empty', () => {
  for (const [key, { type, default: fallback }] of settingEntries()) {
    if (key === 'hostGrants' || key === 'policies') continue;
    expect([key, type.fromJson(type.toJson(fallback.value))]).toEqual([key, { value: fallback.value }]);
  }
});

test('a ConfigMap of revocations is named with its namespace, and needs policies out of a cluster', () => {
  const given = (value: string, more: Readonly<Record<string, string>>): string => {
    const resolved = resolve({ PORTCULLIS_REVOCATIONS_CONFIG_MAP: value, ...more });
    if (!resolved.ok) return resolved.problems.map(({ message }) => message).join();
    return JSON.stringify(resolved.config.revocationsConfigMap);
  };
  const cluster = { PORTCULLIS_KUBECONFIG: 'config' };
  expect(given('portcullis/revoked', cluster)).toBe('{"namespace":"portcullis","name":"revoked"}');
  expect(given('revoked', cluster)).toMatch(/must be namespace\/name of an object/);
  expect(given('a/b/c', cluster)).toMatch(/must be namespace\/name of an object/);
  expect(given('portcullis/revoked', { PORTCULLIS_POLICIES: 'policies' })).toMatch(/needs policies out of a cluster/);
});
