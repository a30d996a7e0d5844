import { jwtAlgorithms } from '../provider-spec.ts';
import { exactlyOne, flag, integer, list, object, oneOf, text, type Schema } from './json-schema.ts';

/** The whole document of a PolicyTest (`test.portcullis.dev/v1alpha1`). No cluster stores it: no CRD is made of it. */
const name = (description: string, extra: Partial<Schema> = {}): Schema => text(description, 253, extra);

function mapOf(description: string, values: Schema, extra: Partial<Schema> = {}): Schema {
  return { type: 'object', description, additionalProperties: values, maxProperties: 1000, ...extra };
}

function anyJson(description: string): Schema {
  return { type: 'object', description, anyFields: true };
}

function texts(description: string, extra: Partial<Schema> = {}): Schema {
  return list(description, name('One of them.'), 1000, { minItems: 0, ...extra });
}

const value: Schema = { type: 'string', description: 'The value.' };

const request: Schema = object('A request. A case may have the name of one of requests in its place.', {
  method: text('The method.', 64, { absent: 'GET' }),
  host: text('The host.', 1024, { absent: 'api.example.com' }),
  path: { type: 'string', description: 'The path with its query, as the proxy received it.', absent: '/' },
  headers: {
    ...anyJson('Headers by name; the value is a text, or a list of texts for a header that comes several times.'),
  },
  clientIp: text('The address of the direct peer.', 64, { absent: '127.0.0.1' }),
  contextExtensions: mapOf('What the configuration of the proxy sets for the route (context_extensions).', value),
  route: object(
    'The route of the Gateway API that the proxy says it chose (route_metadata_context).',
    {
      kind: oneOf('The kind of the route.', ['HTTPRoute', 'GRPCRoute'], { absent: 'HTTPRoute' }),
      namespace: name('The namespace of the route.'),
      name: name('The name of the route.'),
      section: name('The name of the rule.', { absent: 'a rule without a name' }),
      annotations: mapOf('Annotations of the route that the proxy passes on.', value),
    },
    { required: ['namespace', 'name'] },
  ),
  peer: object('What the proxy says of the certificate that the client showed it.', {
    principal: text('The name in it: its first URI, else its first DNS name, else its subject.', 2048),
    certificate: text('The certificate itself, PEM.', 16_384),
  }),
});

const accessGrant: Schema = object('Whatever has all that stands here is allowed.', {
  user: text('The user.', 1024),
  userGroup: text('A group of the user.', 1024),
  group: { type: 'string', description: 'The API group; empty for the core group.' },
  resource: text('The resource.', 1024),
  subresource: { type: 'string', description: 'The subresource; empty for the resource itself.' },
  verb: text('The verb.', 1024),
  namespace: { type: 'string', description: 'The namespace; empty for all.' },
  name: { type: 'string', description: 'The name; empty for every object.' },
  path: text('The path, of a question about one.', 1024),
});

const options: Schema = object('How the service is set up, and when it is.', {
  now: text('The time of the run, as 2026-06-01T12:00:00Z.', 64, { absent: '2026-06-01T12:00:00Z' }),
  transport: oneOf('What the proxy says of the connection (request.scheme).', ['HTTP', 'HTTPS'], { absent: 'HTTP' }),
  trustedHops: integer('The setting trustedHops.', 0, 32, { absent: '0' }),
  shadowAll: flag('The flag shadowAll.', { absent: 'false' }),
  ownedHeaders: texts('The setting ownedHeaders.'),
  forwardedClientCertFrom: texts('The setting forwardedClientCertFrom.'),
  hostGrants: mapOf('The setting hostGrants: host patterns by namespace.', texts('Host patterns.')),
  accessGrants: list(
    'What Kubernetes allows of what authorization.kubernetes asks, and nothing else.',
    accessGrant,
    1000,
    {
      minItems: 0,
      absent: 'nobody can be asked: 503 review_unavailable',
    },
  ),
});

const token: Schema = object('One token.', {
  issuer: name('The provider that it is of, as issuers names it.', { absent: 'that of the token it extends' }),
  extends: name('Another token, whose claims it has where it has none of its own.'),
  claims: anyJson(
    'Its claims, or what its issuer answers about it. iss, aud, iat and exp are filled in from the provider unless given; a time is a number, or a text relative to now, as "-60s".',
  ),
  header: anyJson('What its header holds beside alg and kid; opaque tokens have none.'),
  sign: oneOf(
    'How it is forged: with a key of nobody, with alg none, or as HMAC with the public key. Who is asked about it does not know it.',
    ['OtherKey', 'None', 'HmacWithPublicKey'],
    { absent: 'with the key of its issuer' },
  ),
});

const expectation: Schema = object(
  'What must come out. Only what is named is compared.',
  {
    decision: oneOf('The decision.', ['allow', 'deny']),
    status: integer('The HTTP status of a denial, or 200 of an answer of our own (resource_metadata).', 200, 599),
    code: text('The reason code of a denial.', 64),
    policy: {
      type: 'string',
      description: 'The policy that decided, as namespace/name; empty: none did.',
      maxLength: 512,
    },
    rule: text('The rule that decided.', 63),
    upstreamHeaders: mapOf('Headers that are set for the service, with their values.', value),
    removedHeaders: texts('Headers that are removed.'),
    responseHeaders: mapOf('Headers of the answer to the client, with their values.', value),
    challenge: text('A part of the WWW-Authenticate header.', 1024),
  },
  { required: ['decision'] },
);

const testCase: Schema = object(
  'One case: a request or a raw check, with or without a token.',
  {
    name: text('What it shows, as a sentence.', 1024),
    request,
    check: anyJson('A CheckRequest as JSON, for what no proxy sends.'),
    checkFile: text('A file with a CheckRequest as JSON, relative to this one.', 1024),
    token: name('One of tokens.', { absent: 'no credential' }),
    expect: expectation,
  },
  {
    required: ['name', 'expect'],
    validations: [
      exactlyOne(['request', 'check', 'checkFile'], 'a case has exactly one of request, check and checkFile'),
    ],
  },
);

const matrix: Schema = object(
  'Every request with every token: what is listed under allow is allowed, everything else must be denied.',
  {
    requests: texts('Names of requests.'),
    tokens: texts('Names of tokens; none is no credential.'),
    allow: list(
      'Pairs of a request and a token.',
      texts('A request and a token.', { minItems: 2, maxItems: 2 }),
      10_000,
      {
        minItems: 0,
      },
    ),
  },
  { required: ['requests', 'tokens', 'allow'] },
);

export const policyTest: Schema = object(
  'Policies, requests and what must come out, without a network: issuers are thrown away after the run.',
  {
    apiVersion: oneOf('The version.', ['test.portcullis.dev/v1alpha1']),
    kind: oneOf('The kind.', ['PolicyTest']),
    metadata: object('Its name.', { name: name('The name of the test.') }, { required: ['name'] }),
    policies: texts('Files, folders or globs with the policies, relative to this file.', { minItems: 1 }),
    options,
    issuers: mapOf(
      'Issuers by the name of the provider that they stand in for: of type JWT with keys of their own, of type SharedSecretJWT with the secrets of the consumers, of type Introspection with answers about their tokens, of type ServiceAccount as the API server.',
      object('One issuer.', {
        alg: oneOf(
          'What it signs with, where it has a key of its own: of type JWT and ServiceAccount.',
          jwtAlgorithms,
          { absent: 'RS256' },
        ),
      }),
    ),
    tokens: mapOf('Tokens by name.', token),
    requests: mapOf('Requests by name.', request),
    tests: list('Cases.', testCase, 10_000),
    matrix: list('Whole tables of cases.', matrix, 1000),
  },
  { required: ['apiVersion', 'kind', 'metadata', 'policies'] },
);
