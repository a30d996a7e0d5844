import {
  duration,
  guard,
  integer,
  list,
  objectName,
  oneOf,
  oneOfThese,
  restriction,
  text,
  unsupported,
  type Schema,
} from './json-schema.ts';
import { headerName } from './references.ts';

/** The restrictions beside rules that the contract has and this version does not build. */
const key = text(
  'An expression in CEL; requests with the same value are counted together. An empty value denies.',
  1024,
);
const count = (description: string, extra: Partial<Schema> = {}): Schema =>
  integer(description, 1, 1_000_000_000, extra);

const requirements: Schema = restriction('What a request must have before anything is asked of it.', {
  transport: oneOf('HTTPS: the client came over TLS, as the TLS session or a trusted hop says.', ['HTTPS']),
  headers: list(
    'Headers that must be there.',
    restriction('One header.', { name: headerName }, { required: ['name'] }),
    16,
    { uniqueBy: 'name' },
  ),
  maxHeaderBytes: integer('The most bytes that all headers together may have.', 1, 1_048_576),
});

const rateLimit: Schema = restriction(
  'One limit.',
  {
    name: text('Its name, unique in the list.', 63, { pattern: '^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$' }),
    key,
    requests: count('How many requests of one key are allowed in the time of per.'),
    per: duration('The length of the window, as 1m.'),
    burst: count('How many more may come at once.', { absent: 'none' }),
    phase: oneOf(
      'Whether it is counted before anybody is identified or after authorization. A key that uses the identity cannot stand before.',
      ['BeforeAuthentication', 'AfterAuthorization'],
      { absent: 'AfterAuthorization' },
    ),
    whenStoreFails: oneOf(
      'What happens while the shared store is out of reach: let pass, deny, or count in the replica alone.',
      ['Allow', 'Deny', 'Local'],
      { absent: 'Local' },
    ),
  },
  { required: ['name', 'key', 'requests', 'per'] },
);

const failedAuthentication: Schema = restriction(
  'Blocks whoever presents too many bad credentials; missing ones are not counted.',
  {
    key,
    failures: count('How many failures of one key are borne in the time of per.'),
    per: duration('The length of the window, as 5m.'),
    block: duration('How long the key is blocked, as 15m.'),
  },
  { required: ['key', 'failures', 'per', 'block'] },
);

const inspection: Schema = restriction(
  'One inspection.',
  {
    type: oneOf('What is looked for.', ['SQLInjection', 'CrossSiteScripting']),
    targets: list('Where it is looked for.', oneOfThese(['Query', 'Body']), 2, { uniqueItems: true }),
    mode: oneOf('Shadow records what Enforce would deny.', ['Enforce', 'Shadow'], { absent: 'Enforce' }),
  },
  { required: ['type', 'targets'] },
);

const body: Schema = restriction('What the body of a request must be.', {
  maxBytes: integer('The most bytes it may have.', 1, 16_777_216),
  contentTypes: list('The content types it may have.', text('A content type, as application/json.', 128), 16),
  jsonSchema: {
    type: 'object',
    description: 'A JSON Schema that a JSON body must satisfy.',
    anyFields: true,
    maxProperties: 64,
  },
});

/** What a policy and each of its rules can have. */
export const commonProtections = {
  requirements: unsupported(requirements),
  rateLimits: unsupported(list('Limits, all of which hold.', rateLimit, 16, { uniqueBy: 'name' })),
  inspect: unsupported(list('Looks into requests for attacks.', inspection, 8)),
};

export const policyProtections = { ...commonProtections, failedAuthentication: unsupported(failedAuthentication) };
export const ruleProtections = { ...commonProtections, body: unsupported(body) };

/** The target of a policy that is attached to a route. */
export const targetRefs: Schema = list(
  'The routes of the Gateway API that the policy is attached to, in its own namespace.',
  guard(
    'One route.',
    {
      group: oneOf('The API group of the route.', ['gateway.networking.k8s.io']),
      kind: oneOf('The kind of the route.', ['HTTPRoute', 'GRPCRoute']),
      name: objectName('The name of the route.'),
      sectionName: text('The name of one rule of the route.', 253, { absent: 'the whole route' }),
    },
    { required: ['group', 'kind', 'name'], isAtomic: true },
  ),
  16,
);
