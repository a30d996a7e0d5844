import { duration, exactlyOne, flag, list, objectName, restriction, text, type Schema } from './json-schema.ts';
import { kubernetesAccess } from './kubernetes-access.ts';

function listTest(description: string, value: string): Schema {
  return restriction(description, {
    allOf: list(`All of these ${value}s are needed.`, text(`A ${value}.`, 256), 64),
    anyOf: list(`One of these ${value}s is needed.`, text(`A ${value}.`, 256), 64),
  });
}

const claimTest: Schema = restriction(
  'A test of one claim: exactly one of in, bool and exists. On an identity without claims it fails, exists: false too.',
  {
    claim: text(
      'The name of the claim, or a JSON Pointer (RFC 6901) where it begins with a slash, as in /realm_access/roles.',
      256,
    ),
    in: list(
      'The claim is one of these texts, or a list of texts of which one element is. Numbers and booleans are never equal to a text.',
      { type: 'string', description: 'A value.', maxLength: 1024 },
      256,
    ),
    bool: flag('The claim is this boolean. The text "true" is not true.'),
    exists: flag('The claim is there and not null, or, with false, it is not.'),
  },
  {
    required: ['claim'],
    validations: [exactlyOne(['in', 'bool', 'exists'], 'a claim test has exactly one of in, bool and exists')],
  },
);

export function conditions(description: string): Schema {
  return list(
    description,
    restriction(
      'One condition.',
      {
        expression: text('An expression in CEL that gives a boolean.', 4096),
        message: text('What the client is told where the condition is false.', 256, {
          absent: 'the client is told that a condition does not hold',
        }),
      },
      { required: ['expression'] },
    ),
    16,
  );
}

function anyOfTexts(description: string): Schema {
  return restriction(
    description,
    { anyOf: list('One of these values is enough.', text('A value.', 256), 16) },
    { required: ['anyOf'] },
  );
}

const stepUp: Schema = restriction(
  'How well and how lately the user was authenticated (RFC 9470). What is not met is 401 insufficient_user_authentication with what would do in the challenge; a missing claim is not enough.',
  {
    acr: anyOfTexts('The authentication context class that the claim acr names.'),
    amr: anyOfTexts('The authentication methods that the claim amr lists.'),
    maxAge: duration('The longest time since auth_time, with 30 seconds of tolerance, as 10m.', { absent: 'any time' }),
  },
);

const blockFields = {
  scopes: listTest('The scopes of the token.', 'scope'),
  roles: listTest(
    'The roles of the identity. There are roles only where the provider maps them (claims.roles).',
    'role',
  ),
  claims: list('Tests of claims, all of which must hold.', claimTest, 32),
  when: conditions(
    'Conditions in CEL over the request, the identity and the policy, all of which must be true. An error denies.',
  ),
  stepUp,
  kubernetes: kubernetesAccess,
  providers: list(
    'The names of providers, one of which the identity must be of.',
    objectName('The name of a provider of the rule.'),
    16,
    { absent: 'any provider of the rule' },
  ),
};

/** `authorization` of a rule with access Restricted. */
export const authorization: Schema = restriction(
  'What is asked of the identity. Everything in it must hold; it stands with access Restricted and only there.',
  {
    ...blockFields,
    anyOf: list(
      'Alternatives, one of which must hold beside the rest.',
      restriction('An alternative: everything in it must hold.', blockFields),
      16,
    ),
  },
);

const ranges = (description: string): Schema =>
  list(description, text('A CIDR or one address, as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7.', 64), 256);

/** `addresses` of a policy or a rule. */
export function addresses(description: string): Schema {
  return restriction(description, {
    allow: ranges('The client must be in one of these ranges.'),
    deny: ranges('The client must be in none of these ranges.'),
  });
}
