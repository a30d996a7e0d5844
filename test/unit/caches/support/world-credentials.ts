import { asEnvoySends } from '../../../support/client-certificates.ts';
import { proofOf } from '../../identity/dpop-fixtures.ts';
import {
  encode,
  hmacToken,
  signText,
  startSeconds,
  type Claims,
  type TestKey,
} from '../../identity/identity-fixtures.ts';
import { calculateJwkThumbprint } from 'jose';
import { createHash } from 'node:crypto';
import { apiKeys, secrets } from './world-clients.ts';
import type { Facts } from './world-facts.ts';
import type { Field } from './world-state.ts';

/** What of the world each kind of credential depends on. */
export const kinds = {
  staff: ['audiences', 'staffKeys', 'roles', 'web'],
  partner: ['partnerKeys', 'partnerOnline', 'staffKeys'],
  opaque: ['opaque'],
  account: ['accounts'],
  consumer: ['consumers'],
  client: ['clients'],
  person: ['users'],
  machine: ['trust', 'staffKeys'],
  proof: ['staffKeys'],
} as const satisfies Readonly<Record<string, readonly Field[]>>;
export type Kind = keyof typeof kinds;

/** What a request brings to say who it is of. */
export interface Shown {
  readonly name: string;
  readonly kind: Kind;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The hosts whose policies might take it. */
  readonly hosts: readonly string[];
  /** As Envoy sends it; empty: none. */
  readonly certificate?: string;
  /** Where a proof of it is for; else any. */
  readonly path?: string;
}

const minute = 60;
/** Elsewhere they are shown now and then. */
const jwtHosts = ['api', 'staff', 'web', 'other'];

/** Every credential that a request of the world may show. Two of one claim set or one signature are among them on purpose. */
export async function credentialsOf(facts: Facts): Promise<readonly Shown[]> {
  const { keys, issuers } = facts;
  const sign = (key: TestKey, claims: Claims, header: Claims = {}): string =>
    signText(
      JSON.stringify({ alg: key.alg, kid: key.jwk['kid'], typ: 'JWT', ...header }),
      JSON.stringify({ iss: issuers.staff, ...person, ...claims }),
      key,
    );
  const bearer = (kind: Kind, name: string, token: string, hosts: readonly string[]): Shown => ({
    name,
    kind,
    headers: [['authorization', `Bearer ${token}`]],
    hosts,
  });
  const good = sign(keys.a, {});
  const staff = [
    ['alice', good],
    ['alice for web', sign(keys.a, { aud: 'web', jti: 'j2' })],
    ['alice for both', sign(keys.a, { aud: ['web', 'api'], jti: 'j3' })],
    ['alice for nobody', sign(keys.a, { aud: 'nobody' })],
    ['an admin', sign(keys.a, { sub: 'root', roles: ['admin'], groups: ['reader'], jti: 'j4' })],
    ['of other groups', sign(keys.a, { sub: 'gina', roles: ['reader'], groups: ['admin'], jti: 'j5' })],
    ['of the key b', sign(keys.b, { jti: 'j6' })],
    ['of the key b under the id of a', sign(keys.bAsA, { jti: 'j7' })],
    ['without a key id', sign(keys.a, { jti: 'j8' }, { kid: undefined })],
    ['of nobody', sign(keys.nobody, { jti: 'j9' })],
    ['that ends soon', sign(keys.a, { exp: startSeconds + 2 * minute, jti: 'j10' })],
    ['that begins soon', sign(keys.a, { nbf: startSeconds + 2 * minute, jti: 'j11' })],
    ['that was issued ahead', sign(keys.a, { iat: startSeconds + 20, jti: 'j12' })],
    ['that has ended', sign(keys.a, { exp: startSeconds - minute, jti: 'j13' })],
    ['of another tenant', sign(keys.a, { tenant: 'globex', jti: 'j14' })],
    ['of a strong log-in', sign(keys.a, { acr: 'gold', auth_time: startSeconds - minute, jti: 'j15' })],
    ['alice made root', withPayload(good, { sub: 'root', roles: ['admin'] })],
    ['alice without a signature', `${good.slice(0, good.lastIndexOf('.'))}.`],
    ['alice with one letter changed', changeLetter(good)],
  ] as const;
  const partner = [
    ['of a partner', sign(keys.p1, { iss: issuers.partner, jti: 'p1' })],
    ['of a partner with its newer key', sign(keys.p2, { iss: issuers.partner, jti: 'p2' })],
    ['of a partner with the key of staff', sign(keys.a, { iss: issuers.partner, jti: 'p3' })],
    ['of staff with the key of a partner', sign(keys.p1, { jti: 'p4' })],
  ] as const;
  return [
    ...staff.map(([name, token]) => bearer('staff', name, token, jwtHosts)),
    ...partner.map(([name, token]) => bearer('partner', name, token, ['api'])),
    ...opaqueCredentials.map(([name, token]) => bearer('opaque', name, token, ['api', 'direct'])),
    ...accountCredentials(keys.a).map(([name, token]) => bearer('account', name, token, ['accounts'])),
    ...consumerCredentials().map(([name, token]) => bearer('consumer', name, token, ['api'])),
    ...plainCredentials,
    ...certificateCredentials(facts, good, sign),
    ...(await provenCredentials(facts, sign)),
  ];
}

const person: Claims = {
  aud: 'api',
  sub: 'alice',
  roles: ['reader'],
  groups: ['reader'],
  scope: 'orders:read',
  tenant: 'acme',
  iat: startSeconds - 10,
  exp: startSeconds + 120 * minute,
  jti: 'j1',
};

/** The token with other claims and the signature of before. */
function withPayload(token: string, changes: Claims): string {
  const [head = '', payload = '', signature = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
  return `${head}.${encode(JSON.stringify({ ...claims, ...changes }))}.${signature}`;
}

function changeLetter(token: string): string {
  const at = token.lastIndexOf('.') + 10;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

export const opaqueCredentials = [
  ['opaque of alice', 'opaque-alice'],
  ['opaque of root', 'opaque-root'],
  ['opaque that ends soon', 'opaque-soon'],
  ['opaque that begins soon', 'opaque-early'],
  ['opaque that is none', 'opaque-none'],
] as const;

/** What the issuer of an opaque token says of it: the same at first, then that none is good, then that their scopes are others. */
export function answerFor(token: string, variant: number): object {
  const known = opaqueCredentials.some(([, one]) => one === token) && token !== 'opaque-none';
  if (!known || variant === 1) return { active: false };
  const root = token === 'opaque-root';
  const exp = startSeconds + (token === 'opaque-soon' ? 2 : 60) * minute;
  const begin = token === 'opaque-early' ? { nbf: startSeconds + 2 * minute } : {};
  const scope = variant === 2 ? 'none' : 'orders:read';
  const roles = [root ? 'admin' : 'reader'];
  return {
    active: true,
    sub: root ? 'root' : 'alice',
    aud: 'api',
    scope,
    roles,
    tenant: 'acme',
    jti: token,
    exp,
    ...begin,
  };
}

const account = { sub: 'system:serviceaccount:shop:web', aud: ['api'] };

function accountCredentials(key: TestKey): readonly (readonly [string, string])[] {
  const token = (claims: Claims): string => signText('{"alg":"ES256"}', JSON.stringify({ ...account, ...claims }), key);
  return [
    ['of a service account', token({ exp: startSeconds + 60 * minute })],
    ['of a service account, ending soon', token({ exp: startSeconds + 2 * minute })],
    ['of a service account for others', token({ aud: ['nobody'], exp: startSeconds + 60 * minute })],
    ['of a stranger who says that he is one', token({ exp: startSeconds + 60 * minute, made: 'up' })],
  ];
}

function consumerCredentials(): readonly (readonly [string, string])[] {
  const token = (claims: Claims, secret: string): string =>
    hmacToken(
      { alg: 'HS256', typ: 'JWT' },
      { iss: 'acme', tenant: 'acme', exp: startSeconds + 60 * minute, ...claims },
      secret,
    );
  return [
    ['of a consumer', token({}, secrets.acme)],
    ['of a consumer with the other secret', token({}, secrets.other)],
    ['of a consumer, ending soon', token({ exp: startSeconds + 2 * minute }, secrets.acme)],
    ['of a consumer, issued ahead', token({ iat: startSeconds + 20 }, secrets.acme)],
    ['of a consumer that is none', token({ iss: 'nobody' }, secrets.acme)],
  ];
}

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

const plainCredentials: readonly Shown[] = [
  { name: 'nothing', kind: 'staff', headers: [], hosts: ['api', 'staff', 'machines'] },
  ...plainOf('client', [
    ['the key of acme', [['x-api-key', apiKeys.acme]]],
    ['the key of globex', [['x-api-key', apiKeys.globex]]],
    ['a key of nobody', [['x-api-key', `${apiKeys.acme}x`]]],
    [
      'a key twice',
      [
        ['x-api-key', apiKeys.acme],
        ['x-api-key', apiKeys.acme],
      ],
    ],
    [
      'a key beside a password',
      [
        ['x-api-key', apiKeys.acme],
        ['authorization', basic('alice:open sesame')],
      ],
    ],
  ]),
  ...plainOf('person', [
    ['the password of alice', [['authorization', basic('alice:open sesame')]]],
    ['the password of bob', [['authorization', basic('bob:open sesame')]]],
    ['a wrong password', [['authorization', basic('alice:open sesam')]]],
    ['a password of nobody', [['authorization', basic('mallory:open sesame')]]],
  ]),
];

function plainOf(kind: Kind, those: readonly (readonly [string, Shown['headers']])[]): readonly Shown[] {
  return those.map(([name, headers]) => ({ name, kind, headers, hosts: ['api'] }));
}

type Sign = (key: TestKey, claims: Claims) => string;

function certificateCredentials({ certificates, keys }: Facts, good: string, sign: Sign): readonly Shown[] {
  const authorization = (token: string): Shown['headers'] => [['authorization', `Bearer ${token}`]];
  return certificates.flatMap(({ certificate: pem, der }, index) => {
    const certificate = asEnvoySends(pem);
    const thumbprint = createHash('sha256').update(der).digest('base64url');
    const bound = sign(keys.a, { cnf: { 'x5t#S256': thumbprint }, jti: `c${index}` });
    const shown = (name: string, headers: Shown['headers'], own: readonly string[], proves = true): Shown => ({
      name: `${name} ${index}${proves ? '' : ', without it'}`,
      kind: 'machine',
      headers,
      hosts: own,
      ...(proves && { certificate }),
    });
    return [
      shown('certificate', [], ['alone', 'machines']),
      shown('alice with certificate', authorization(good), ['machines', 'bound']),
      shown('bound to certificate', authorization(bound), ['bound', 'staff']),
      shown('bound to certificate', authorization(bound), ['bound', 'staff'], false),
    ];
  });
}

async function provenCredentials({ keys }: Facts, sign: Sign): Promise<readonly Shown[]> {
  const jkt = await calculateJwkThumbprint(keys.holder.publicKey.export({ format: 'jwk' }));
  const token = sign(keys.a, { cnf: { jkt }, jti: 'd1' });
  const proof = (claims: Claims): string =>
    proofOf(keys.holder, token, { claims: { htu: 'https://proven.example.com/me', ...claims } });
  const shown = (name: string, text: string): Shown => ({
    name,
    kind: 'proof',
    headers: [
      ['authorization', `DPoP ${token}`],
      ['dpop', text],
    ],
    hosts: ['proven'],
    path: '/me',
  });
  return [
    shown('a proof', proof({})),
    shown('another proof', proof({})),
    shown('a proof of later', proof({ iat: startSeconds + 11 * minute })),
    shown('a proof for another path', proof({ htu: 'https://proven.example.com/gate' })),
    {
      name: 'a proven token as bearer',
      kind: 'proof',
      headers: [['authorization', `Bearer ${token}`]],
      hosts: ['proven', 'staff'],
    },
  ];
}
