import {
  duration,
  flag,
  guard,
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
import { headerName } from './references.ts';

function headers(description: string): Schema {
  return list(
    description,
    object('One header.', { name: headerName, value: text('The value.', 4096) }, { required: ['name', 'value'] }),
    64,
    { uniqueBy: 'name' },
  );
}

const answerFields = {
  status: integer('The HTTP status, 400 to 599.', 400, 599, { absent: 'as usual' }),
  body: text('The body.', 16_384, { absent: 'JSON with code, message and decision id; a small page for browsers' }),
  contentType: text('The content type of the body.', 128, { absent: 'text/plain' }),
  headers: headers('Headers of the answer, beside its own.'),
};

function denialAnswer(description: string, fields: Readonly<Record<string, Schema>>): Schema {
  return object(description, fields, {
    minProperties: 1,
    validations: [
      { rule: '!has(self.contentType) || has(self.body)', message: 'contentType is for a body: write the body too' },
    ],
  });
}

const texts = (description: string, what: string, extra: Partial<Schema> = {}): Schema =>
  list(description, text(what, 256), 64, extra);

const cors: Schema = restriction(
  'Cross-origin requests of browsers. A preflight is answered by Portcullis, without a credential.',
  {
    allowOrigins: texts('The origins that may ask.', 'An origin, as https://app.example.com.'),
    allowMethods: texts('The methods they may use.', 'A method.', { absent: 'GET, HEAD and POST' }),
    allowHeaders: texts('The request headers they may send.', 'The name of a header.', {
      absent: 'those that need no permission',
    }),
    allowCredentials: flag('Whether cookies and credentials may be sent along.', { absent: 'false' }),
    maxAge: duration('How long a browser may remember the answer to a preflight.', { absent: 'as the browser does' }),
  },
  { required: ['allowOrigins'] },
);

/** `response` of a policy or a rule. */
export const response: Schema = guard(
  'What goes back to the client. A rule is laid over its policy: headers merge by name, the fields of the answers override. It never turns a denial into anything else.',
  {
    headers: headers('Headers that are set on the response of every allowed request.'),
    securityHeaders: unsupported(
      oneOf('A set of headers for browsers: for an API, for web pages, or none.', ['None', 'API', 'Web'], {
        absent: 'None',
      }),
    ),
    cors: unsupported(cors),
    unauthenticated: denialAnswer('How a denial with 401 is dressed; its challenge stays.', {
      ...answerFields,
      redirectToLogin: unsupported(
        objectName('Sends browsers without a session to this Login provider, one of the providers of the policy.'),
      ),
    }),
    forbidden: denialAnswer('How a denial with 403 is dressed.', answerFields),
  },
);
