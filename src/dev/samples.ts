import type { ReasonCode } from '../core/reason.ts';

/** Who a sample request comes from; `none` sends no token. */
export type Caller = 'alice' | 'bob' | 'expired' | 'none';

/** One request of the demonstration, what must come of it on `examples/quickstart`, and why. */
export interface Sample {
  /** What it shows, in a few words. */
  readonly title: string;
  readonly caller: Caller;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expected: Expected;
  /** One line for the reader. */
  readonly because: string;
}

export type Expected =
  | {
      readonly decision: 'allow';
      /** Headers that the upstream sees, by lower-case name; undefined for one that must not arrive. */
      readonly upstream: Readonly<Record<string, string | undefined>>;
    }
  | { readonly decision: 'deny'; readonly status: number; readonly code: ReasonCode };

/** The claims of each caller's token; `exp` is filled in for those that do not say. */
export const callers = {
  alice: { sub: 'alice', roles: ['clerk'] },
  bob: { sub: 'bob', roles: ['admin'] },
} as const;

const none: Readonly<Record<string, string>> = {};

export const samples: readonly Sample[] = [
  {
    title: 'a public path',
    caller: 'none',
    method: 'GET',
    path: '/healthz',
    headers: none,
    expected: { decision: 'allow', upstream: { 'x-user-id': undefined } },
    because: 'The rule `health` is Public: no token is needed.',
  },
  {
    title: 'a good token',
    caller: 'alice',
    method: 'GET',
    path: '/orders/42',
    headers: none,
    expected: {
      decision: 'allow',
      upstream: { 'x-user-id': 'alice', 'x-user-roles': 'clerk', authorization: undefined },
    },
    because: 'Portcullis tells the service who is calling and keeps the token from it.',
  },
  {
    title: 'no token',
    caller: 'none',
    method: 'GET',
    path: '/orders/42',
    headers: none,
    expected: { decision: 'deny', status: 401, code: 'credential_missing' },
    because: 'The rule `read-orders` needs an identity; WWW-Authenticate says which kind.',
  },
  {
    title: 'an expired token',
    caller: 'expired',
    method: 'GET',
    path: '/orders/42',
    headers: none,
    expected: { decision: 'deny', status: 401, code: 'token_expired' },
    because: 'The signature is right, but the token ended an hour ago.',
  },
  {
    title: 'the wrong role',
    caller: 'alice',
    method: 'GET',
    path: '/admin/users',
    headers: none,
    expected: { decision: 'deny', status: 403, code: 'role_missing' },
    because: 'The rule `admin` asks for the role admin, and alice is a clerk.',
  },
  {
    title: 'the right role',
    caller: 'bob',
    method: 'GET',
    path: '/admin/users',
    headers: none,
    expected: { decision: 'allow', upstream: { 'x-user-id': 'bob', 'x-user-roles': 'admin' } },
    because: 'The same request with the token of bob, who is an admin.',
  },
  {
    title: 'a client that writes its own identity',
    caller: 'alice',
    method: 'GET',
    path: '/orders/42',
    headers: { 'x-user-id': 'root', x_user_roles: 'admin' },
    expected: {
      decision: 'allow',
      upstream: { 'x-user-id': 'alice', 'x-user-roles': 'clerk', x_user_roles: undefined },
    },
    because: 'Identity headers are ours: the client’s own, and their underscore twins, never arrive.',
  },
  {
    title: 'a client that writes its own identity on a public path',
    caller: 'none',
    method: 'GET',
    path: '/healthz',
    headers: { 'x-user-id': 'root' },
    expected: { decision: 'allow', upstream: { 'x-user-id': undefined } },
    because: 'Where nobody is identified, the header is removed.',
  },
  {
    title: 'a path that can be read in two ways',
    caller: 'alice',
    method: 'GET',
    path: '//admin/users',
    headers: none,
    expected: { decision: 'deny', status: 400, code: 'path_not_canonical' },
    because: 'Some servers read this as /admin/users. What is ambiguous is refused, for everybody.',
  },
  {
    title: 'a path that no rule names',
    caller: 'bob',
    method: 'GET',
    path: '/reports',
    headers: none,
    expected: { decision: 'deny', status: 403, code: 'no_rule' },
    because: 'Silence is no, also for an admin.',
  },
];
