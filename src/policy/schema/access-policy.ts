import {
  duration,
  integer,
  list,
  object,
  objectName,
  oneOf,
  restriction,
  text,
  unsupported,
  type Schema,
} from './json-schema.ts';

const listTest: Schema = restriction({
  allOf: list(text(256), 64),
  anyOf: list(text(256), 64),
});

const claimTest: Schema = object(
  {
    claim: text(256),
    in: list({ type: 'string', maxLength: 1024 }, 256),
    bool: { type: 'boolean' },
    exists: { type: 'boolean' },
  },
  { required: ['claim'] },
);

const condition: Schema = object({ expression: text(4096), message: text(256) }, { required: ['expression'] });

const stepUp: Schema = restriction({
  acr: object({ anyOf: list(text(256), 16) }, { required: ['anyOf'] }),
  amr: object({ anyOf: list(text(256), 16) }, { required: ['anyOf'] }),
  maxAge: duration,
});

const blockFields = {
  scopes: listTest,
  roles: listTest,
  claims: list(claimTest, 32),
  when: list(condition, 16),
  stepUp,
  providers: list(objectName, 16),
};

const authorization: Schema = restriction({ ...blockFields, anyOf: list(restriction(blockFields), 16) });

const addresses: Schema = restriction({
  allow: list(text(64), 256),
  deny: list(text(64), 256),
});

const upstreamHeader: Schema = object(
  { name: text(128), value: text(4096), expression: text(4096) },
  { required: ['name'] },
);

const upstream: Schema = object({
  headers: list(upstreamHeader, 64),
  removeHeaders: list(text(128), 64),
  credential: oneOf(['Remove', 'Keep']),
  inject: unsupported,
});

const responseHeaders: Schema = list(
  object({ name: text(128), value: text(4096) }, { required: ['name', 'value'] }),
  64,
);

const denialAnswer: Schema = restriction({
  status: integer(400, 599),
  body: text(16_384),
  contentType: text(128),
  headers: responseHeaders,
});

const response: Schema = object({
  headers: responseHeaders,
  securityHeaders: unsupported,
  cors: unsupported,
  unauthenticated: { ...denialAnswer, properties: { ...denialAnswer.properties, redirectToLogin: unsupported } },
  forbidden: denialAnswer,
});

const providers: Schema = list(
  object({ kind: oneOf(['IdentityProvider', 'ClusterIdentityProvider']), name: objectName }, { required: ['name'] }),
  16,
);

const valueMatch: Schema = object(
  { name: text(128), value: { type: 'string', maxLength: 4096 } },
  { required: ['name', 'value'] },
);

const match: Schema = restriction({
  path: object(
    { type: oneOf(['Exact', 'PathPrefix', 'RegularExpression']), value: text(1024) },
    { required: ['type', 'value'] },
  ),
  methods: list(text(32), 48),
  headers: list(valueMatch, 16),
  queryParams: list(valueMatch, 16),
});

const ruleName: Schema = text(63, { pattern: '^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$' });

const rule: Schema = object(
  {
    name: ruleName,
    matches: list(match, 16),
    access: oneOf(['Public', 'Optional', 'Authenticated', 'Restricted', 'Denied']),
    authorization,
    authentication: restriction({ providers, peer: unsupported }),
    addresses,
    upstream,
    response,
    requirements: unsupported,
    rateLimits: unsupported,
    inspect: unsupported,
    body: unsupported,
    when: list(condition, 16),
  },
  { required: ['name', 'matches', 'access'] },
);

/** `spec` of an AccessPolicy. */
export const accessPolicySpec: Schema = object(
  {
    hosts: list(text(253), 64),
    targetRefs: unsupported,
    attachment: oneOf(['Named']),
    mode: oneOf(['Enforce', 'Shadow']),
    onInvalid: oneOf(['KeepLast', 'Deny']),
    paths: object({
      parameters: oneOf(['Refuse', 'Strip']),
      allowEncoded: list(text(3), 4, { minItems: 0 }),
    }),
    authentication: restriction({ providers, peer: unsupported }),
    addresses,
    requirements: unsupported,
    rateLimits: unsupported,
    failedAuthentication: unsupported,
    inspect: unsupported,
    rules: list(rule, 64),
    upstream,
    response,
  },
  { required: ['rules'] },
);

/** A rule of the floor: it restricts and never allows, and says nothing of identity providers or answers. */
const floorRule: Schema = object(
  {
    name: ruleName,
    matches: list(match, 16),
    access: oneOf(['Authenticated', 'Restricted', 'Denied']),
    authorization,
    addresses,
    requirements: unsupported,
    rateLimits: unsupported,
    inspect: unsupported,
    body: unsupported,
    when: list(condition, 16),
  },
  { required: ['name', 'matches', 'access'] },
);

/** `spec` of a ClusterAccessPolicy: without `hosts` it stands over every request. */
export const clusterAccessPolicySpec: Schema = restriction({
  hosts: list(text(253), 64),
  mode: oneOf(['Enforce', 'Shadow']),
  onInvalid: oneOf(['KeepLast', 'Deny']),
  addresses,
  requirements: unsupported,
  rateLimits: unsupported,
  failedAuthentication: unsupported,
  inspect: unsupported,
  rules: list(floorRule, 64),
});
