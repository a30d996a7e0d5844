import { addresses } from './authorization.ts';
import { exactlyOne, guard, list, object, oneOf, restriction, text, type Schema } from './json-schema.ts';
import { policyProtections, targetRefs } from './protections.ts';
import { response } from './response.ts';
import { authentication, distinctRuleNames, floorRules, rules } from './rule.ts';
import { upstream } from './upstream.ts';

function hosts(description: string, absent: string): Schema {
  return list(
    description,
    text('A host, as api.example.com, *.example.com (any depth below, not the apex) or *; without a port.', 253),
    64,
    { isSet: true, absent },
  );
}

const mode = oneOf('Shadow evaluates and records the policy and never changes an answer.', ['Enforce', 'Shadow'], {
  default: 'Enforce',
});

const onInvalid = oneOf(
  'What a later version that is refused does: KeepLast leaves this one in force while the process lives, Deny denies what either would have governed.',
  ['KeepLast', 'Deny'],
  { default: 'KeepLast' },
);

const paths: Schema = object(
  'What else a path may hold. Everything ambiguous is refused with 400 path_not_canonical unless it is named here.',
  {
    parameters: oneOf(
      'Strip takes path parameters (;x=1) off for matching; the path that goes on to the service is never changed.',
      ['Refuse', 'Strip'],
      { absent: 'Refuse' },
    ),
    allowEncoded: list(
      'Escapes that may stand in a path: %2F, %23, %25 and %3F. They stay encoded and separate nothing.',
      text('An escape.', 16),
      4,
      { minItems: 0, absent: 'none' },
    ),
  },
);

/** `spec` of an AccessPolicy. */
export const accessPolicySpec: Schema = guard(
  'What the policy governs, and who may do what there.',
  {
    hosts: hosts('The hosts that it governs. A host belongs to one namespace.', 'see targetRefs and attachment'),
    targetRefs,
    attachment: oneOf(
      'Named: it governs the checks whose context extension portcullis.dev/policy is its namespace/name, which the configuration of the proxy sets.',
      ['Named'],
    ),
    mode,
    onInvalid,
    paths,
    authentication,
    addresses: addresses('Addresses of clients, for every request that the policy covers.'),
    ...policyProtections,
    rules,
    upstream,
    response,
  },
  {
    required: ['rules'],
    validations: [
      exactlyOne(['hosts', 'targetRefs', 'attachment'], 'a policy has exactly one of hosts, targetRefs and attachment'),
      distinctRuleNames,
    ],
  },
);

const floorParts = ['rules', 'addresses', ...Object.keys(policyProtections)];

/** `spec` of a ClusterAccessPolicy: without `hosts` it stands over every request. */
export const clusterAccessPolicySpec: Schema = restriction(
  'What holds for every request that the policy covers, whoever else allows it.',
  {
    hosts: hosts('The hosts that it covers.', 'every request, however it is attached'),
    mode,
    onInvalid,
    addresses: addresses('Addresses of clients, for every request that the policy covers.'),
    ...policyProtections,
    rules: floorRules,
  },
  {
    validations: [
      {
        rule: floorParts.map((part) => `has(self.${part})`).join(' || '),
        message: `the policy restricts nothing: it needs ${floorParts.slice(0, -1).join(', ')} or ${floorParts.at(-1)}`,
      },
      distinctRuleNames,
    ],
  },
);
