import { exactlyOne, list, restriction, text, type Schema } from './json-schema.ts';

const expressionOf = (what: string): Schema =>
  text(`An expression in CEL that gives ${what}; any other result denies.`, 4096);

function template(description: string, value: Partial<Schema> = {}): Schema {
  return restriction(
    description,
    { value: text('The fixed text.', 1024, value), expression: expressionOf('a text that is not empty') },
    { validations: [exactlyOne(['value', 'expression'], 'it has exactly one of value and expression')] },
  );
}

const resourceAttributes: Schema = restriction(
  'What is asked about, as a resource of the API. The resource need not exist: roles can grant what only policies ask about.',
  {
    group: template('The API group.', { absent: 'the core group' }),
    resource: template('The resource, in the plural as roles name it.'),
    subresource: template('The subresource.', { absent: 'the resource itself' }),
    verb: template('The verb, as get or create.'),
    namespace: template('The namespace.', { absent: 'all namespaces, or a resource of the cluster' }),
    name: template('The name of the object.', { absent: 'every object' }),
  },
  { required: ['resource', 'verb'] },
);

const nonResourceAttributes: Schema = restriction(
  'What is asked about, as a path that is no resource of the API.',
  { path: template('The path.'), verb: template('The verb, in lower case, as get.') },
  { required: ['path', 'verb'] },
);

/** `kubernetes` of an authorization. */
export const kubernetesAccess: Schema = restriction(
  'What the authorizers of the cluster (RBAC) must allow the caller: a SubjectAccessReview with each request. 403 access_denied where they do not, 503 where they cannot be asked.',
  {
    user: template(
      'The user of Kubernetes that the caller is. An expression cannot give a name that begins with system:, but for the one that the API server named.',
      { absent: 'the service account of the caller, with its groups; others are denied' },
    ),
    groups: restriction('The groups of that user. It stands beside user alone.', {
      values: list('Fixed groups.', text('A group.', 256), 16),
      expression: expressionOf('a list of texts, none of which begins with system:'),
    }),
    resourceAttributes,
    nonResourceAttributes,
  },
  {
    minProperties: 1,
    validations: [
      exactlyOne(
        ['resourceAttributes', 'nonResourceAttributes'],
        'it asks about exactly one of resourceAttributes and nonResourceAttributes',
      ),
      { rule: '!has(self.groups) || has(self.user)', message: 'groups stands beside user' },
    ],
  },
);
