import { clientsOf, consumersOf, usersOf } from './world-clients.ts';
import { trustOf, type Facts } from './world-facts.ts';

/** What can be changed of the world, and how many variants there are of each. */
export const variants = {
  /** `audiences` of the provider staff. */
  audiences: 3,
  /** Which keys the ConfigMap of staff holds. */
  staffKeys: 5,
  /** Which claim staff reads roles from. */
  roles: 2,
  /** The provider web, of the same issuer: there, gone, with another audience. */
  web: 3,
  /** Which keys the issuer of partners publishes. */
  partnerKeys: 3,
  /** Whether that issuer answers. */
  partnerOnline: 2,
  /** What the issuers of opaque tokens answer. */
  opaque: 3,
  clients: 4,
  consumers: 5,
  users: 3,
  /** The authorities of client certificates, and which of theirs are revoked. */
  trust: 4,
  /** Whether the service account is still there. */
  accounts: 2,
  /** What Kubernetes allows. */
  grants: 2,
  /** What the rule gate asks for. */
  gate: 5,
  /** What the floor asks for. */
  floor: 3,
  /** What goes upstream. */
  upstream: 3,
} as const;

export type Field = keyof typeof variants;
export const fields = Object.keys(variants) as readonly Field[];
export type WorldState = Readonly<Record<Field, number>>;
export const firstState = Object.fromEntries(fields.map((field) => [field, 0])) as WorldState;

/** How long somebody's word may be taken after it changed, milliseconds: the ttl of an answer, and of a review. */
export const settlesAfterMs: Partial<Record<Field, number>> = { opaque: 61_000, accounts: 61_000 };

type Document = Readonly<Record<string, unknown>>;

/** The documents of the world in that state. */
export function documentsOfState(state: WorldState, facts: Facts): readonly Document[] {
  return [
    ...providersOf(state, facts),
    ...clientsOf(state.clients),
    ...consumersOf(state.consumers),
    ...usersOf(state.users),
    ...policiesOf(state),
    ...floorOf(state.floor),
  ];
}

function provider(name: string, spec: Document, namespace = 'shop'): Document {
  return { apiVersion: 'portcullis.dev/v1alpha1', kind: 'IdentityProvider', metadata: { name, namespace }, spec };
}

function configMap(name: string, data: Readonly<Record<string, string>>): Document {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data };
}

function providersOf(state: WorldState, facts: Facts): readonly Document[] {
  const { keys } = facts;
  const keySets = [[keys.a], [keys.a, keys.b], [keys.b], [keys.bAsA], []];
  const set = keySets[state.staffKeys] ?? [];
  const jwks = set.length === 0 ? '{' : JSON.stringify({ keys: set.map(({ jwk }) => jwk) });
  const issuer = facts.issuers.staff;
  const claims = { roles: [state.roles === 0 ? 'roles' : 'groups'] };
  const own = { issuer, jwks: { configMapRef: { name: 'staff-keys', key: 'jwks' } }, claims };
  const jwt = (name: string, more: Document): Document => provider(name, { type: 'JWT', jwt: { ...own, ...more } });
  const { bundle, list } = trustOf(facts, state.trust);
  const machines = { caRef: { name: 'client-ca', key: 'ca.crt' }, crlRef: { name: 'client-ca', key: 'crl.pem' } };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'introspection', namespace: 'shop' } };
  return [
    configMap('staff-keys', { jwks }),
    configMap('client-ca', { 'ca.crt': bundle, 'crl.pem': list }),
    { ...secret, stringData: { client_id: 'portcullis', client_secret: 'a secret' } },
    jwt('staff', { audiences: [['api'], ['web'], ['api', 'web']][state.audiences] ?? [] }),
    ...(state.web === 1 ? [] : [jwt('web', { audiences: state.web === 0 ? ['web'] : ['api'] })]),
    jwt('bound', { audiences: ['api', 'web'], binding: { certificate: 'Required' } }),
    jwt('proven', { audiences: ['api', 'web'], binding: { dpop: 'Required' } }),
    provider(
      'staff',
      {
        type: 'JWT',
        jwt: { issuer, audiences: ['other', 'api'], jwks: { inline: JSON.stringify({ keys: [keys.a.jwk] }) } },
      },
      'team',
    ),
    provider('partner', {
      type: 'JWT',
      jwt: {
        issuer: facts.issuers.partner,
        audiences: ['api'],
        jwks: { uri: facts.urls.partnerKeys },
        claims: own.claims,
      },
    }),
    provider('opaque', { type: 'Introspection', introspection: introspectionOf(facts.urls.opaque, '60s') }),
    provider('direct', { type: 'Introspection', introspection: introspectionOf(facts.urls.direct, '0s') }),
    provider('accounts', { type: 'ServiceAccount', serviceAccount: { audiences: ['api'] } }),
    provider('machines', { type: 'ClientCertificate', clientCertificate: { source: 'Certificate', ...machines } }),
  ];
}

function introspectionOf(endpoint: string, ttl: string): Document {
  const clientAuthentication = { method: 'Basic', secretRef: { name: 'introspection' } };
  return { endpoint, clientAuthentication, audiences: ['api'], claims: { roles: ['roles'] }, cache: { ttl } };
}

const under = (name: string, path: string, access: string, more: Document = {}): Document => ({
  name,
  matches: [{ path: { type: path.includes('[') ? 'RegularExpression' : 'PathPrefix', value: path } }],
  access,
  ...more,
});

const zone = "request.time.getHours(request.headers['x-zone']) >= 0";

/** Rules that look at who is calling; `all` of every kind. */
function rulesOf(state: WorldState, all: boolean): readonly Document[] {
  const gates: readonly Document[] = [
    { roles: { anyOf: ['admin'] } },
    { roles: { anyOf: ['reader', 'admin'] } },
    { scopes: { allOf: ['orders:read'] } },
    { when: [{ expression: "identity.claims.tenant == request.headers['x-tenant']" }] },
    { anyOf: [{ roles: { anyOf: ['admin'] } }, { scopes: { allOf: ['orders:read'] } }] },
  ];
  const resourceAttributes = { group: { value: 'x' }, resource: { value: 'orders' }, verb: { value: 'get' } };
  const few = [
    under('public', '/pub', 'Public'),
    under('maybe', '/maybe', 'Optional'),
    under('me', '/me', 'Authenticated'),
    under('gate', '/gate', 'Restricted', { authorization: gates[state.gate] }),
  ];
  if (!all) return few;
  return [
    ...few,
    under('zone', '/zone', 'Restricted', { authorization: { when: [{ expression: zone }] } }),
    under('again', '/again', 'Restricted', { authorization: { stepUp: { acr: { anyOf: ['gold'] }, maxAge: '5m' } } }),
    under('cluster', '/cluster', 'Restricted', {
      authorization: { kubernetes: { user: { expression: 'identity.subject' }, resourceAttributes } },
    }),
    under('numbered', '/n/[a-z]{1,3}[0-9]+', 'Authenticated'),
    under('never', '/me/never', 'Denied'),
  ];
}

function policiesOf(state: WorldState): readonly Document[] {
  const headers: readonly (readonly Document[])[] = [
    [{ name: 'x-user', expression: 'identity.subject' }],
    [
      { name: 'x-user', expression: 'identity.subject' },
      { name: 'x-roles', expression: 'identity.roles' },
      { name: 'x-scopes', expression: 'identity.scopes' },
    ],
    [{ name: 'x-who', expression: "identity.provider + '/' + identity.subject" }],
  ];
  const upstream = { headers: headers[state.upstream] ?? [], removeHeaders: ['x-internal'] };
  const policy = (name: string, authentication: Document, namespace = 'shop'): Document => ({
    apiVersion: 'portcullis.dev/v1alpha1',
    kind: 'AccessPolicy',
    metadata: { name, namespace },
    spec: { hosts: [`${name}.example.com`], authentication, rules: rulesOf(state, varied.has(name)), upstream },
  });
  const of = (...names: readonly string[]): Document => ({ providers: names.map((name) => ({ name })) });
  return [
    policy('api', of('staff', 'partner', 'consumers', 'opaque', 'clients', 'people')),
    policy('staff', of('staff')),
    policy('web', of(state.web === 1 ? 'staff' : 'web')),
    policy('other', of('staff'), 'team'),
    policy('bound', of('bound')),
    policy('proven', of('proven')),
    policy('direct', of('direct')),
    policy('accounts', of('accounts')),
    policy('machines', { ...of('staff'), peer: { name: 'machines' } }),
    policy('alone', { peer: { name: 'machines' } }),
  ];
}

/** The hosts whose policies have rules of every kind. */
const varied: ReadonlySet<string> = new Set(['api', 'staff', 'web', 'other']);
export const hosts = ['api', 'staff', 'web', 'other', 'bound', 'proven', 'direct', 'accounts', 'machines', 'alone'];

function floorOf(variant: number): readonly Document[] {
  if (variant === 0) return [];
  const rule =
    variant === 1
      ? under('known', '/maybe', 'Authenticated')
      : under('admins', '/me', 'Restricted', { authorization: { roles: { anyOf: ['admin'] } } });
  const kind = 'ClusterAccessPolicy';
  return [{ apiVersion: 'portcullis.dev/v1alpha1', kind, metadata: { name: 'floor' }, spec: { rules: [rule] } }];
}
