import { cidrs, headerNames, hostGrants, namespaceNames } from './list-types.ts';
import { keySettings } from './key-settings.ts';
import { redisSettings } from './redis-settings.ts';
import { revocationSettings } from './revocation-settings.ts';
import {
  choice,
  duration,
  folder,
  fraction,
  labelSelector,
  namespaceName,
  objectName,
  onOff,
  optionalFile,
  optionalTcpAddress,
  socketAddress,
  tcpAddress,
  wholeNumber,
  type SettingType,
} from './setting-types.ts';

/** One thing that an operator can set, in every way it can be set. */
export interface Setting<T> {
  readonly group: SettingGroup;
  /** `--grpc-address` */
  readonly flag: `--${string}`;
  /** `PORTCULLIS_GRPC_ADDRESS` */
  readonly env: `PORTCULLIS_${string}`;
  readonly type: SettingType<T>;
  readonly default: { readonly value: T };
  /** What it does, for help and docs: sentences. */
  readonly description: string;
}

export const settingGroups = [
  'Policies',
  'Kubernetes',
  'Addresses',
  'TLS',
  'Requests',
  'Keys and tokens',
  'Redis',
  'Revocations',
  'Logging',
  'Shutdown',
] as const;
export type SettingGroup = (typeof settingGroups)[number];

/** What counts as a file of policies in a folder (files/list-files.ts), in words. */
export const policyFiles = '*.yaml, *.yml and *.json, also in folders below; names with a leading dot are passed over';

/** Every setting by its key in the config file: flags, environment, config file, help and docs/configuration.md all come from this table. */
export const settings = {
  policies: {
    group: 'Policies',
    flag: '--policies',
    env: 'PORTCULLIS_POLICIES',
    type: folder(),
    default: { value: undefined },
    description: `Folder of policy documents, watched for changes: ${policyFiles}. Without it they come from the cluster: that of the pod, or that of kubeconfig.`,
  },
  hostGrants: {
    group: 'Policies',
    flag: '--host-grant',
    env: 'PORTCULLIS_HOST_GRANTS',
    type: hostGrants(),
    default: { value: new Map() },
    description:
      'Which hosts the policies of a namespace may govern. With any grant, hosts that are not granted are refused; without, a host belongs to the namespace of the oldest policy that names it (in a folder, where nothing has an age, two namespaces that name one host are a problem).',
  },
  namespace: {
    group: 'Policies',
    flag: '--namespace',
    env: 'PORTCULLIS_NAMESPACE',
    type: namespaceName(),
    default: { value: 'portcullis' },
    description:
      'The namespace of the service itself: ConfigMaps that cluster-wide documents refer to and its Leases are of this one.',
  },
  kubeconfig: {
    group: 'Kubernetes',
    flag: '--kubeconfig',
    env: 'PORTCULLIS_KUBECONFIG',
    type: optionalFile(),
    default: { value: undefined },
    description:
      'Kubeconfig file that says which cluster the policies come from and as whom they are read (its current context). Without it, in a pod, the service account of the pod does. Beside policies it says which cluster is asked about service accounts and access, and nothing else.',
  },
  watchNamespaces: {
    group: 'Kubernetes',
    flag: '--watch-namespace',
    env: 'PORTCULLIS_WATCH_NAMESPACES',
    type: namespaceNames(),
    default: { value: [] },
    description: 'Namespaces whose policies and providers are read. Without any: all.',
  },
  policySelector: {
    group: 'Kubernetes',
    flag: '--policy-selector',
    env: 'PORTCULLIS_POLICY_SELECTOR',
    type: labelSelector(),
    default: { value: '' },
    description:
      'Label selector of the AccessPolicies that are read, to share them out among several installations. Providers and ClusterAccessPolicies are always read.',
  },
  clusterKinds: {
    group: 'Kubernetes',
    flag: '--cluster-kinds',
    env: 'PORTCULLIS_CLUSTER_KINDS',
    type: onOff(),
    default: { value: true },
    description:
      "Whether ClusterAccessPolicies and ClusterIdentityProviders are read. Off, the platform's floor does not hold here: only for a service account that may not read them.",
  },
  publishStatus: {
    group: 'Kubernetes',
    flag: '--publish-status',
    env: 'PORTCULLIS_PUBLISH_STATUS',
    type: onOff(),
    default: { value: true },
    description:
      'Whether this process says in the cluster what it serves: a Lease of its own, and, by the one that leads, the status of policies and Events. Off for sidecars.',
  },
  leaseName: {
    group: 'Kubernetes',
    flag: '--lease-name',
    env: 'PORTCULLIS_LEASE_NAME',
    type: objectName('portcullis'),
    default: { value: 'portcullis' },
    description: 'The Lease that the leader holds, in the namespace of the service. One for each installation.',
  },
  podName: {
    group: 'Kubernetes',
    flag: '--pod-name',
    env: 'PORTCULLIS_POD_NAME',
    type: objectName('portcullis-0'),
    default: { value: '' },
    description: 'Who this process is among the replicas. Without it: the host name, which in a pod is its name.',
  },
  shadowAll: {
    group: 'Policies',
    flag: '--shadow-all',
    env: 'PORTCULLIS_SHADOW_ALL',
    type: onOff(),
    default: { value: false },
    description:
      'DANGEROUS: allows every request and changes none, and records what would have been decided. For introducing Portcullis before traffic that works without it, and for nothing else.',
  },
  ownedHeaders: {
    group: 'Policies',
    flag: '--owned-header',
    env: 'PORTCULLIS_OWNED_HEADERS',
    type: headerNames(),
    default: { value: [] },
    description:
      'Request headers that clients may never set: removed (their underscore twins too) from every request allowed, whatever the policy.',
  },
  grpcAddress: {
    group: 'Addresses',
    flag: '--grpc-address',
    env: 'PORTCULLIS_GRPC_ADDRESS',
    type: socketAddress(),
    default: { value: { kind: 'tcp', host: '0.0.0.0', port: 9001 } },
    description: 'Where Envoy asks: ext_authz and health over gRPC.',
  },
  httpAddress: {
    group: 'Addresses',
    flag: '--http-address',
    env: 'PORTCULLIS_HTTP_ADDRESS',
    type: tcpAddress(),
    default: { value: { kind: 'tcp', host: '0.0.0.0', port: 9002 } },
    description:
      'Where /healthz, /readyz and /metrics are, and where issuers deliver: /backchannel-logout/… and /events/….',
  },
  adminAddress: {
    group: 'Addresses',
    flag: '--admin-address',
    env: 'PORTCULLIS_ADMIN_ADDRESS',
    type: optionalTcpAddress(),
    default: { value: { kind: 'tcp', host: '127.0.0.1', port: 9003 } },
    description:
      'Where the admin page, its JSON and the admin call for revocations are. Only that call asks for a token: keep it on a loopback address.',
  },
  transport: {
    group: 'Addresses',
    flag: '--transport',
    env: 'PORTCULLIS_TRANSPORT',
    type: choice('native', 'grpc-js'),
    default: { value: 'native' },
    description:
      'What speaks gRPC at grpcAddress: native, a server of its own that costs far less CPU, or grpc-js, the library. Both answer checks alike; docs/grpc.md says where they differ in what never becomes one.',
  },
  tlsCertificate: {
    group: 'TLS',
    flag: '--tls-certificate',
    env: 'PORTCULLIS_TLS_CERTIFICATE',
    type: optionalFile(),
    default: { value: undefined },
    description:
      'PEM file of the certificate of the gRPC port, its issuers behind it. With it the port speaks TLS alone. Followed: a new pair is used for new connections, one that cannot be used leaves the last good one in use.',
  },
  tlsKey: {
    group: 'TLS',
    flag: '--tls-key',
    env: 'PORTCULLIS_TLS_KEY',
    type: optionalFile(),
    default: { value: undefined },
    description: "PEM file of that certificate's private key, without a passphrase.",
  },
  tlsClientCa: {
    group: 'TLS',
    flag: '--tls-client-ca',
    env: 'PORTCULLIS_TLS_CLIENT_CA',
    type: optionalFile(),
    default: { value: undefined },
    description:
      'PEM file of the issuers of client certificates. With it only clients that show a certificate of one of these are answered (mTLS).',
  },
  tlsMinimumVersion: {
    group: 'TLS',
    flag: '--tls-minimum-version',
    env: 'PORTCULLIS_TLS_MINIMUM_VERSION',
    type: choice('TLSv1.2', 'TLSv1.3'),
    default: { value: 'TLSv1.2' },
    description: 'The oldest version of TLS that is spoken.',
  },
  trustedHops: {
    group: 'Requests',
    flag: '--trusted-hops',
    env: 'PORTCULLIS_TRUSTED_HOPS',
    type: wholeNumber(0, 20),
    default: { value: 0 },
    description:
      'How many proxies in front of Envoy are trusted to have written x-forwarded-for; the address that the last of them saw is the client. 0: the direct peer is the client.',
  },
  forwardedClientCertFrom: {
    group: 'Requests',
    flag: '--forwarded-client-cert-from',
    env: 'PORTCULLIS_FORWARDED_CLIENT_CERT_FROM',
    type: cidrs(),
    default: { value: [] },
    description:
      'Ranges of the direct peers of the proxy that are believed about the certificates of their own clients (x-forwarded-client-cert; providers with source ForwardedCertificate, and tokens bound to a certificate). From any other address the header is no credential. With any range it is removed from every request allowed.',
  },
  checkTimeout: {
    group: 'Requests',
    flag: '--check-timeout',
    env: 'PORTCULLIS_CHECK_TIMEOUT',
    type: duration('10ms', '10m'),
    default: { value: 5000 },
    description: 'How long one decision may take; after it the request is denied with 503.',
  },
  maxReceiveBytes: {
    group: 'Requests',
    flag: '--max-receive-bytes',
    env: 'PORTCULLIS_MAX_RECEIVE_BYTES',
    type: wholeNumber(65_536, 268_435_456),
    default: { value: 8_388_608 },
    description:
      'Largest CheckRequest, in bytes. Envoy gets a gRPC error for a larger one, so it should be above what Envoy may send: its with_request_body.max_request_bytes and 128 KiB for the rest.',
  },
  maxHeaders: {
    group: 'Requests',
    flag: '--max-headers',
    env: 'PORTCULLIS_MAX_HEADERS',
    type: wholeNumber(10, 1000),
    default: { value: 200 },
    description: 'How many header fields a request may have; one with more is denied with 400.',
  },
  ...keySettings,
  ...redisSettings,
  ...revocationSettings,
  logLevel: {
    group: 'Logging',
    flag: '--log-level',
    env: 'PORTCULLIS_LOG_LEVEL',
    type: choice('debug', 'info', 'warn', 'error'),
    default: { value: 'info' },
    description: 'The least level of the service log. Decision lines have their own settings.',
  },
  logDecisions: {
    group: 'Logging',
    flag: '--log-decisions',
    env: 'PORTCULLIS_LOG_DECISIONS',
    type: choice('all', 'denied', 'none'),
    default: { value: 'all' },
    description: 'Which decisions get a line in the log, whatever logLevel says.',
  },
  logDecisionsSample: {
    group: 'Logging',
    flag: '--log-decisions-sample',
    env: 'PORTCULLIS_LOG_DECISIONS_SAMPLE',
    type: fraction(),
    default: { value: 1 },
    description: 'The part of the allowed requests that gets a line. Denials are never sampled.',
  },
  shutdownDelay: {
    group: 'Shutdown',
    flag: '--shutdown-delay',
    env: 'PORTCULLIS_SHUTDOWN_DELAY',
    type: duration('0s', '10m'),
    default: { value: 5000 },
    description:
      'How long Portcullis serves on after SIGTERM, unready and NOT_SERVING, so that proxies can turn away. Together with shutdownTimeout it must be shorter than the grace period of the pod.',
  },
  shutdownTimeout: {
    group: 'Shutdown',
    flag: '--shutdown-timeout',
    env: 'PORTCULLIS_SHUTDOWN_TIMEOUT',
    type: duration('0s', '10m'),
    default: { value: 20_000 },
    description: 'How long checks in flight may take to end after that.',
  },
} as const satisfies { readonly [key: string]: Setting<never> | Setting<unknown> };

export type SettingKey = keyof typeof settings;

/** Every setting with its checked value. Durations are in milliseconds; a Map without entries means that no host grants were made. */
export type Config = {
  readonly [Key in SettingKey]: (typeof settings)[Key]['type'] extends SettingType<infer Value> ? Value : never;
};

/** The rows of the table, in order. */
export function settingEntries(): readonly (readonly [SettingKey, Setting<unknown>])[] {
  // Object.entries forgets that the keys are those of the table.
  return Object.entries(settings) as [SettingKey, Setting<unknown>][];
}

/** The name of the flag for the config file, and its variable: not settings, because no file can name another. */
export const configFileFlag = '--config';
export const configFileEnv = 'PORTCULLIS_CONFIG';
