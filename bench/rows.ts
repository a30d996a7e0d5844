/** What can be measured under load, in the order of the table: the figure of every row is compared with the first one's. */
export const rows = {
  'bare-http2': 'node:http2 that answers a fixed CheckResponse',
  'bare-grpc-js': 'the same on @grpc/grpc-js',
  'bare-native': 'the same on our own transport',
  'repeated-token': 'serve on grpc-js: one RS256 token again and again, a rule that asks for a role',
  'repeated-token-tls': 'repeated-token (grpc-js) over TLS',
  'repeated-token-unix': 'repeated-token (grpc-js) over a unix socket',
  'repeated-native': 'repeated-token on our own transport',
  'repeated-native-tls': 'repeated-native over TLS',
  'repeated-native-unix': 'repeated-native over a unix socket',
  'rotating-native': 'repeated-native, 200 tokens in turn',
  'no-token': 'serve on grpc-js: a request without a token, denied',
  'new-tokens': 'serve on grpc-js: every token for the first time, RS256',
  'new-native': 'new-tokens on our own transport',
  certificate: 'serve on grpc-js: one client certificate again and again, verified by us, a rule that asks for a claim',
  'api-key': 'serve on grpc-js: one API key out of 1000 again and again, a rule that asks for a role',
  'hmac-token':
    'serve on grpc-js: one HS256 token of a consumer out of 1000 again and again, a rule that asks for a role',
  'new-hmac-tokens': 'serve on grpc-js: every such token for the first time',
  'new-es256': 'serve on grpc-js: every token for the first time, ES256',
  'new-es256-native': 'new-es256 on our own transport',
  dpop: 'serve on grpc-js: one token that is bound to a key, every time with another DPoP proof (ES256)',
  'new-dpop': 'serve on grpc-js: every token for the first time, ES256, and with a DPoP proof',
  conditions: 'serve on grpc-js: the repeated token, a rule with three CEL conditions besides',
  'conditions-native': 'conditions on our own transport',
  'ten-policies': 'serve on grpc-js: the repeated token, 10 policies on one host',
  'ten-policies-native': 'ten-policies on our own transport',
  'many-policies': 'serve on grpc-js: the repeated token, 10,000 policies over 1000 hosts',
  'many-policies-native': 'many-policies on our own transport',
} as const;

export type RowName = keyof typeof rows;

/** What else is measured. */
export const parts = {
  memory: 'resident memory of serve on our own transport, one policy',
  start: 'from the start of the process until it is ready, 100 policies',
  change: 'from the writing of a changed policy until it decides, 100 policies; the event loop while 1000 are changed',
  pauses: 'pauses of the garbage collector under load, on our own transport',
  workers: 'two workers beside one process, repeated-native: CPU time of all processes for a check, and throughput',
  passwords: 'a flood of wrong passwords (bcrypt, argon2, scrypt), and somebody whose password is remembered',
  envoy:
    'through a real Envoy that shares a core with us, beside its own filters; minutes, so only where it is asked for',
  cluster:
    'the same as change and more before a real API server, up to 10,000 policies; minutes, so only where it is asked for',
} as const;

export type PartName = keyof typeof parts;

export const rowNames = Object.keys(rows) as readonly RowName[];
export const partNames = Object.keys(parts) as readonly PartName[];

/** What takes minutes and needs more than Node: only where it is asked for by name. */
export const partsOnRequest: ReadonlySet<PartName> = new Set(['envoy', 'cluster']);
