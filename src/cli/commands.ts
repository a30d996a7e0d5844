import type { CliCommand } from './cli-command.ts';

/** Every command, in the order of the help. */
export const commands: readonly CliCommand[] = [
  {
    name: 'serve',
    summary: "answer Envoy's checks by the policies of a cluster or a folder",
    load: async () => (await import('./commands/serve.ts')).details,
  },
  {
    name: 'validate',
    summary: 'say what is wrong with policy documents, without serving them',
    load: async () => (await import('./commands/validate.ts')).details,
  },
  {
    name: 'test',
    summary: 'hold policies against requests and what is expected of them, offline',
    load: async () => (await import('./commands/test.ts')).details,
  },
  {
    name: 'explain',
    summary: 'say how a request would be decided by a folder of policies, step by step',
    load: async () => (await import('./commands/explain.ts')).details,
  },
  {
    name: 'token',
    summary: 'decode a token and say why it would be refused',
    load: async () => (await import('./commands/token.ts')).details,
  },
  {
    name: 'check',
    summary: 'ask a running service about one request, as Envoy would',
    load: async () => (await import('./commands/check.ts')).details,
  },
  {
    name: 'revoke',
    summary: 'refuse tokens before their end, by a running service',
    load: async () => (await import('./commands/revoke.ts')).details,
  },
  {
    name: 'hash-password',
    summary: 'print the hash of a password for a provider of names and passwords',
    load: async () => (await import('./commands/hash-password.ts')).details,
  },
  {
    name: 'dev',
    summary: 'see it at work: a real Envoy, an issuer, an upstream and sample requests',
    load: async () => (await import('./commands/dev.ts')).details,
  },
  {
    name: 'version',
    summary: 'print the version',
    load: async () => (await import('./commands/version.ts')).details,
  },
];
