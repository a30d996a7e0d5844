import { guard, list, oneOf, restriction, text, type Schema } from './json-schema.ts';

function valueMatches(description: string): Schema {
  return list(
    description,
    guard(
      'A name and the exact value it must have.',
      {
        name: text('The name; of a header in any case.', 128),
        value: { type: 'string', description: 'The exact value; it may be empty.', maxLength: 4096 },
      },
      { required: ['name', 'value'] },
    ),
    16,
    { uniqueBy: 'name' },
  );
}

const path: Schema = guard(
  'Which paths: the canonical path of the request, without its query, case-sensitive.',
  {
    type: oneOf(
      'Exact is the whole path; PathPrefix goes by segment and ignores a slash at the end; RegularExpression is RE2 and matches the whole path.',
      ['Exact', 'PathPrefix', 'RegularExpression'],
    ),
    value: text('The path, beginning with a slash, or the expression. One that could never match is refused.', 1024),
  },
  { required: ['type', 'value'] },
);

/** `matches` of a rule. */
export const matches: Schema = list(
  'Which requests the rule is for: any of these. What stands inside one must all fit.',
  restriction('One match: everything in it must fit, and something must stand in it.', {
    path: { ...path, absent: 'PathPrefix /' },
    methods: list('Methods in upper case. GET does not include HEAD.', text('A method.', 32), 48, {
      absent: 'all but CONNECT and TRACE',
    }),
    headers: valueMatches('Headers with exact values. They give no precedence; a header that comes twice is 400.'),
    queryParams: valueMatches(
      'Query parameters with exact values. They give no precedence; one that comes twice is 400.',
    ),
  }),
  16,
);
