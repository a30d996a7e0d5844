import { exactlyOne, guard, list, object, oneOf, restriction, text, unsupported, type Schema } from './json-schema.ts';
import { headerName, secretKeyRef } from './references.ts';

const header: Schema = object(
  'One header for the service: exactly one of value and expression.',
  {
    name: headerName,
    value: text('The fixed value.', 4096),
    expression: text(
      'An expression in CEL that gives a text, a number, a boolean or a list of these, joined with commas. Absent or empty removes the header, any other error denies.',
      4096,
    ),
  },
  {
    required: ['name'],
    validations: [exactlyOne(['value', 'expression'], 'a header has exactly one of value and expression')],
  },
);

/** A credential whose fields the version that builds it will name; until then nobody reads them. */
function later(description: string): Schema {
  return guard(description, {}, { maxProperties: 16 });
}

const injectParts = {
  Secret: 'secret',
  ClientCredentials: 'clientCredentials',
  TokenExchange: 'tokenExchange',
  MintedToken: 'mintedToken',
};

const inject: Schema = restriction(
  'A credential of its own that goes on to the service in place of the one the client presented.',
  {
    type: oneOf(
      'Where it comes from: a Secret, the OAuth 2.0 client credentials grant, an exchange of the token (RFC 8693), or a token that Portcullis signs. The field of that name stands beside it.',
      Object.keys(injectParts),
    ),
    header: { ...headerName, description: 'The header that carries it.', absent: 'authorization' },
    scheme: text('The scheme before it, as Bearer.', 64, { absent: 'the value alone' }),
    secret: object(
      'With type Secret.',
      { secretRef: secretKeyRef('The key of a Secret that holds the credential.') },
      { required: ['secretRef'] },
    ),
    clientCredentials: later('With type ClientCredentials; cached until just before it expires.'),
    tokenExchange: later('With type TokenExchange.'),
    mintedToken: later('With type MintedToken; the keys are served as a JWKS.'),
  },
  {
    required: ['type'],
    validations: Object.entries(injectParts).map(([type, field]) => ({
      rule: `(self.type == '${type}') == has(self.${field})`,
      message: `type ${type} needs the field ${field}, and no other type has it`,
    })),
  },
);

/** `upstream` of a policy or a rule. */
export const upstream: Schema = guard(
  'What goes on to the service when the request is allowed. A rule is laid over its policy: headers merge by name, removeHeaders add up, credential overrides.',
  {
    headers: list(
      "Headers that are set. A client's own copy, also in a spelling with _ for -, never passes, whichever policy of the namespace sets them.",
      header,
      64,
      { uniqueBy: 'name' },
    ),
    removeHeaders: list("Headers that are taken off the client's request.", headerName, 64),
    credential: oneOf(
      "Remove takes the presented token, key or cookie off the request, Keep lets it travel on. A policy's Keep does not reach Public rules.",
      ['Remove', 'Keep'],
      { absent: 'Remove; in a rule what the policy says' },
    ),
    inject: unsupported(inject),
  },
);
