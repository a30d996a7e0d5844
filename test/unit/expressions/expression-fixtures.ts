import { readRequest, isDenial } from '../../../src/canonical/read-request.ts';
import { anonymous, type Identity } from '../../../src/core/identity.ts';
import { compileCondition, type Condition } from '../../../src/expressions/compile-condition.ts';
import type { RawHeader, RawRequest, Request } from '../../../src/core/request.ts';
import { RequestScope, type Scope } from '../../../src/expressions/scope.ts';
import { rawHeaders } from '../../../src/canonical/raw-headers.ts';
import { rawRequest } from '../../support/raw-request.ts';

/** When the checks of these tests come: 2026-11-21T10:00:00.250Z, a Saturday. */
export const now = Date.UTC(2026, 10, 21, 10, 0, 0, 250);

export interface RequestParts extends Partial<Omit<RawRequest, 'headers'>> {
  readonly headers?: readonly RawHeader[];
}

/** A request after its one reading. */
export function requestOf({ headers = [], ...parts }: RequestParts): Request {
  const request = readRequest(
    { ...rawRequest({}), ...parts, headers: rawHeaders(headers) },
    { trustedHops: 0, maxHeaders: 1000 },
  );
  if (isDenial(request)) throw new Error(request.message);
  return request;
}

export const alice: Identity = {
  ...anonymous,
  authenticated: true,
  subject: 'alice',
  issuer: 'https://issuer.example',
  provider: 'okta',
  clientId: 'web',
  scopes: ['orders:read', 'orders:write'],
  roles: ['admin', 'dev'],
  claims: { tenant: 'acme', level: 3, admin: true, nick: null, groups: ['a', 'b'], address: { city: 'Berlin' } },
  expiresAt: now / 1000 + 60,
};

export function scopeOf(request: RequestParts = {}, parts: Partial<Scope> = {}): Scope {
  return {
    request: new RequestScope(requestOf(request), 'decision-1', now),
    identity: alice,
    peer: undefined,
    route: undefined,
    policy: { namespace: 'shop', name: 'orders', rule: 'read' },
    ...parts,
  };
}

/** A condition that is right. */
export function conditionOf(source: string): Condition {
  const condition = compileCondition(source, 'condition');
  if (condition.kind === 'invalid') throw new Error(`${source}: ${condition.why}`);
  return condition;
}
