import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { anonymous } from '../../../src/core/identity.ts';
import type { Scope } from '../../../src/expressions/scope.ts';
import { alice, conditionOf, scopeOf } from './expression-fixtures.ts';

const header = (name: string, value: string, isText = true) => ({ name, value, isText });
const scope: Scope = scopeOf(
  {
    method: 'POST',
    target: '/orders/%37;v=1?tag=a&tag=b%20c&empty=',
    host: 'API.example.com:8443',
    scheme: 'https',
    protocol: 'HTTP/2',
    headers: [
      header('x-tenant', 'acme'),
      header('x-many', 'a'),
      header('x-many', 'b'),
      header('x-raw', '\ufffd', false),
    ],
    peerAddress: '::ffff:10.1.2.3',
    contextExtensions: new Map([['tier', 'gold']]),
  },
  {
    peer: {
      ...anonymous,
      authenticated: true,
      subject: 'spiffe://mesh/gateway',
      provider: 'mesh',
      claims: { ns: 'edge' },
    },
    route: {
      kind: 'HTTPRoute',
      namespace: 'shop',
      name: 'orders',
      section: 'read',
      annotations: new Map([['owner', 'team-a']]),
    },
  },
);

describe('S23 an expression sees', () => {
  test.each([
    'request.id == "decision-1"',
    'request.method == "POST"',
    'request.path == "/orders/7"',
    'request.rawPath == "/orders/%37;v=1"',
    'request.query["tag"] == ["a", "b c"]',
    'request.query.empty == [""]',
    'request.query.size() == 2 && request.query.all(name, name in ["tag", "empty"])',
    'request.headers["x-tenant"] == "acme"',
    'request.headers["x-many"] == "a,b"',
    'request.headers.exists(name, name == "x-raw")',
    'request.host == "api.example.com"',
    'request.scheme == "https"',
    'request.clientIp == "10.1.2.3"',
    'request.protocol == "HTTP/2"',
    'request.time == timestamp("2026-11-21T10:00:00.25Z")',
    'identity.subject == "alice"',
    'identity.issuer == "https://issuer.example"',
    'identity.provider == "okta"',
    'identity.clientId == "web"',
    'identity.authenticated',
    '"orders:read" in identity.scopes',
    'identity.roles == ["admin", "dev"]',
    'identity.claims.address.city == "Berlin"',
    'identity.claims.level == 3 && identity.claims.level >= 2.5',
    'identity.claims.groups.exists(g, g == "b")',
    'identity.claims.nick == null',
    'identity.expiresAt - request.time <= duration("1m")',
    'peer.subject == "spiffe://mesh/gateway" && peer.provider == "mesh" && peer.claims.ns == "edge"',
    'context.tier == "gold" && !("other" in context)',
    'route.kind == "HTTPRoute" && route.namespace == "shop" && route.name == "orders" && route.section == "read"',
    'route.annotations.owner == "team-a"',
    'policy.namespace == "shop" && policy.name == "orders" && policy.rule == "read"',
    'type(request.time) == google.protobuf.Timestamp',
  ])('%s', (source) => {
    expect(conditionOf(source).test(scope)).toBe('true');
  });

  test('and an identity and a peer that are nobody', () => {
    const nobody = scopeOf({}, { identity: anonymous });
    expect(conditionOf('identity.subject == "" && !identity.authenticated').test(nobody)).toBe('true');
    expect(conditionOf('peer.subject == "" && peer.provider == ""').test(nobody)).toBe('true');
    expect(conditionOf('has(identity.claims) || has(peer.claims) || has(identity.expiresAt)').test(nobody)).toBe(
      'false',
    );
  });

  test.each([
    ['the claims of an identity without claims', '!has(identity.claims.banned)', { identity: anonymous }],
    [
      'the end of a credential that does not end',
      'identity.expiresAt > request.time',
      { identity: { ...alice, expiresAt: undefined } },
    ],
    ['the claims of a peer that is nobody', 'peer.claims.ns != "x"', {}],
  ])('and never %s', (_title, source, parts) => {
    expect(conditionOf(source).test(scopeOf({}, parts))).toMatchObject({ code: 'absent' });
  });

  describe('no number of a claim that a double does not hold exactly', () => {
    const claims: JsonObject = JSON.parse(
      '{"id": 9007199254740993, "low": -9007199254740992, "ids": [1, [9007199254740993]], "deep": [{"id": 1e300, "name": "n"}], "last": 9007199254740991, "list": [1.5, 2]}',
    );
    const numbers = scopeOf({}, { identity: { ...alice, claims } });
    test.each([
      'identity.claims.id == 9007199254740992',
      'identity.claims.id != 9007199254740992',
      'identity.claims.?id.orValue(0) == 9007199254740992.0',
      'identity.claims.low < 0',
      'identity.claims.ids[0] == 1',
      'identity.claims.deep[0].id > 1',
      '"%s".format([identity.claims.id]) != ""',
      'identity.claims == identity.claims',
    ])('%s', (source) => {
      expect(conditionOf(source).test(numbers)).toMatchObject({ code: 'result' });
    });

    test.each([
      'identity.claims.last == 9007199254740991',
      'identity.claims.list == [1.5, 2.0]',
      'identity.claims.deep[0].name == "n"',
      'has(identity.claims.id) && "id" in identity.claims',
    ])('but %s', (source) => {
      expect(conditionOf(source).test(numbers)).toBe('true');
    });
  });

  test('S31 no address where it is not known', () => {
    const unknown = scopeOf({ peerAddress: undefined });
    expect(conditionOf('request.clientIp != "10.0.0.1"').test(unknown)).toMatchObject({ code: 'absent' });
    expect(conditionOf('has(request.clientIp)').test(unknown)).toBe('false');
  });

  test('no header whose bytes are no text', () => {
    expect(conditionOf('request.headers["x-raw"] != "x"').test(scope)).toMatchObject({ code: 'value' });
    expect(conditionOf('"x-raw" in request.headers').test(scope)).toBe('true');
  });
});
