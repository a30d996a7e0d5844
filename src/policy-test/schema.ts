import { integer, list, object, oneOf, text, type Schema } from '../policy/schema/json-schema.ts';

const free: Schema = { type: 'object' };
const mapOf = (values: Schema): Schema => ({ type: 'object', additionalProperties: values });
const flag: Schema = { type: 'boolean' };

/** Values are texts or lists of texts, which a structural schema cannot say: they are looked at where they are read. */
const headers: Schema = { type: 'object', additionalProperties: {} };

const request: Schema = object({
  method: text(32),
  host: text(1024),
  path: { type: 'string', maxLength: 65_536 },
  headers,
  clientIp: text(64),
  contextExtensions: mapOf({ type: 'string' }),
});

const expectation: Schema = object(
  {
    decision: oneOf(['allow', 'deny']),
    status: integer(200, 599),
    code: text(64),
    policy: { type: 'string' },
    rule: { type: 'string' },
    upstreamHeaders: mapOf({ type: 'string' }),
    removedHeaders: list(text(128), 64),
    challenge: text(1024),
    responseHeaders: mapOf({ type: 'string' }),
  },
  { required: ['decision'] },
);

const test: Schema = object(
  // `request` is a name or a request of its own.
  { name: text(512), request: {}, check: free, checkFile: text(1024), token: text(256), expect: expectation },
  { required: ['name', 'expect'] },
);

const matrix: Schema = object(
  {
    requests: list(text(256), 256),
    tokens: list(text(256), 256),
    allow: list(list(text(256), 2, { minItems: 2 }), 4096, { minItems: 0 }),
  },
  { required: ['requests', 'tokens', 'allow'] },
);

/** A request that stands in a test itself. */
export const requestSchema = request;

/** The document but for its head. */
export const policyTestSchema: Schema = object(
  {
    policies: list(text(1024), 256),
    options: object({
      now: text(64),
      transport: oneOf(['HTTP', 'HTTPS']),
      trustedHops: integer(0, 10),
      shadowAll: flag,
      ownedHeaders: list(text(128), 64),
      hostGrants: mapOf(list(text(253), 64)),
    }),
    issuers: mapOf(
      object({
        alg: oneOf(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']),
      }),
    ),
    tokens: mapOf(
      object({
        issuer: text(253),
        extends: text(256),
        claims: free,
        header: free,
        sign: oneOf(['OtherKey', 'None', 'HmacWithPublicKey']),
      }),
    ),
    requests: mapOf(request),
    tests: list(test, 4096),
    matrix: list(matrix, 256),
  },
  { required: ['policies'] },
);
