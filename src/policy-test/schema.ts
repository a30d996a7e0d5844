import { flag, integer, list, object, oneOf, oneOfThese, text, type Schema } from '../policy/schema/json-schema.ts';

function mapOf(description: string, values: Schema): Schema {
  return { type: 'object', description, additionalProperties: values };
}

function free(description: string): Schema {
  return { type: 'object', description, anyFields: true };
}

/** Also an empty one. */
function anyText(description: string): Schema {
  return { type: 'string', description };
}

function name(of: string): Schema {
  return text(`The name of ${of}.`, 256);
}

/** A request that stands in a test itself, or under `requests`. */
export const requestSchema: Schema = object('A request as the proxy would describe it.', {
  method: text('GET where it is not given.', 32),
  host: text('api.example.com where it is not given.', 1024),
  path: { type: 'string', description: 'The path with its query; / where it is not given.', maxLength: 65_536 },
  headers: free('A text or a list of texts each; the reader looks at them.'),
  clientIp: text('The direct peer of the proxy; 127.0.0.1 where it is not given.', 64),
  contextExtensions: mapOf("What the proxy's configuration sets for the route.", anyText('Its value.')),
  route: object(
    'The route of the Gateway API that the proxy says it chose.',
    {
      kind: oneOf('HTTPRoute where it is not given.', ['HTTPRoute', 'GRPCRoute']),
      namespace: text('The namespace of the route.', 253),
      name: text('The name of the route.', 253),
      section: text('The name of the rule; without one where it is not given.', 253),
      annotations: mapOf('What the proxy passes on of its annotations.', anyText('Its value.')),
    },
    { required: ['namespace', 'name'] },
  ),
  peer: object('What the proxy says of the certificate that the client showed it.', {
    principal: text('The name in it: its first URI, else its first DNS name, else its subject.', 2048),
    certificate: text('The certificate itself, PEM.', 16_384),
  }),
});

const accessGrant: Schema = object('Whatever has all of these is allowed.', {
  user: text('The user.', 1024),
  userGroup: text('A group of the user.', 1024),
  group: anyText('The API group.'),
  resource: text('The resource.', 1024),
  subresource: anyText('The subresource.'),
  verb: text('The verb.', 1024),
  namespace: anyText('The namespace.'),
  name: anyText('The name.'),
  path: text('The path, of a question about one.', 1024),
});

const expectation: Schema = object(
  'What is not there is not looked at.',
  {
    decision: oneOf('What is decided.', ['allow', 'deny']),
    status: integer('The HTTP status; 200 for an allow.', 200, 599),
    code: text('The reason.', 64),
    policy: anyText('The deciding policy: namespace/name.'),
    rule: anyText('The deciding rule.'),
    upstreamHeaders: mapOf('Headers that the service behind sees set.', anyText('The value.')),
    removedHeaders: list('Headers that are taken off the request.', name('a header'), 64),
    challenge: text('A part of WWW-Authenticate.', 1024),
    responseHeaders: mapOf('Headers of the answer to the client.', anyText('The value.')),
  },
  { required: ['decision'] },
);

const test: Schema = object(
  'One request and what is expected of it.',
  {
    name: text('What it shows: a sentence.', 512),
    request: name('a request, or a request'),
    check: free('A CheckRequest as JSON.'),
    checkFile: text('The file of one.', 1024),
    token: name('a token'),
    expect: expectation,
  },
  { required: ['name', 'expect'] },
);

const matrix: Schema = object(
  'Every request with every token.',
  {
    requests: list('Their names.', name('a request'), 256),
    tokens: list('Their names; none is no token.', name('a token'), 256),
    allow: list(
      'The pairs that are allowed; all others are denied.',
      list('A request and a token.', name('it'), 2, { minItems: 2 }),
      4096,
      { minItems: 0 },
    ),
  },
  { required: ['requests', 'tokens', 'allow'] },
);

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** The document but for its head. */
export const policyTestSchema: Schema = object(
  'Decisions as data.',
  {
    policies: list('Files, folders or globs, relative to the file of the test.', text('One of them.', 1024), 256),
    options: object('How the service would be set.', {
      now: text('The time of the test, ISO 8601.', 64),
      transport: oneOf('What the proxy says of the connection.', ['HTTP', 'HTTPS']),
      trustedHops: integer('As the setting.', 0, 10),
      shadowAll: flag('As the setting.'),
      ownedHeaders: list('As the setting.', name('a header'), 64),
      forwardedClientCertFrom: list('As the setting.', text('A range of addresses.', 64), 64),
      hostGrants: mapOf('As the setting.', list('Hosts of the namespace.', text('A host.', 253), 64)),
      accessGrants: {
        ...list('What Kubernetes allows of what authorization.kubernetes asks; nothing else.', accessGrant, 1000),
        minItems: 0,
      },
    }),
    issuers: mapOf(
      'By the name of the provider that each stands in for.',
      object('Its key.', { alg: oneOfThese(algorithms) }),
    ),
    tokens: mapOf(
      'By name.',
      object('A token.', {
        issuer: name('an issuer'),
        extends: name('the token that it takes the rest from'),
        claims: free('Its claims.'),
        header: free('Its header.'),
        sign: oneOf('Who signs it, where it is not the issuer.', ['OtherKey', 'None', 'HmacWithPublicKey']),
      }),
    ),
    requests: mapOf('By name.', requestSchema),
    tests: list('Cases.', test, 4096),
    matrix: list('Tables of cases.', matrix, 256),
  },
  { required: ['policies'] },
);
