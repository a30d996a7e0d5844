import { addresses, authorization, conditions } from './authorization.ts';
import { guard, list, oneOf, restriction, text, type Schema, type Validation } from './json-schema.ts';
import { matches } from './match.ts';
import { ruleProtections } from './protections.ts';
import { providerRef, providerRefs } from './references.ts';
import { response } from './response.ts';
import { upstream } from './upstream.ts';

const name: Schema = text('The name of the rule, unique in the policy; it stands in logs, metrics and answers.', 63, {
  pattern: '^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$',
});

const when = conditions(
  'With access Denied, and only there: the rule hits where all of these over the request are true, or cannot be evaluated. Other rules have theirs under authorization.',
);

/** Nothing of it restricts; a slip would send clients to other authorization servers than its author wrote. */
const resourceMetadata: Schema = guard(
  'Publishes what clients must know to get a token (RFC 9728): at /.well-known/oauth-protected-resource before the path of the resource, without a credential, and named in every challenge for tokens.',
  {
    resource: text('The https URL of the resource, on a host of the policy, without query and fragment.', 2048),
    authorizationServers: list('The issuers that give tokens for it.', text('An issuer.', 2048), 16, {
      absent: 'the issuers of the providers of the policy',
    }),
    scopes: list('The scopes that clients may ask for.', text('A scope.', 256), 64, { absent: 'none are named' }),
    documentation: text('The URL of a page for people who write clients.', 2048, { absent: 'none' }),
  },
  { required: ['resource'] },
);

/** `authentication` of a policy. */
export const authentication: Schema = restriction('Who can say who is calling.', {
  providers: providerRefs(
    'The providers that credentials may come from. The place, the scheme and the issuer of a credential choose among them.',
  ),
  peer: providerRef(
    'The provider of type ClientCertificate that vouches for who connects. It must hold beside the credential on every rule but Public ones; without providers it is the identity.',
  ),
  resourceMetadata,
});

const authenticationOfRule: Schema = restriction('Who can say who is calling. The peer of the policy stays.', {
  providers: providerRefs('The providers of this rule, in place of those of the policy.'),
});

const validations: readonly Validation[] = [
  {
    rule: "self.access != 'Restricted' || has(self.authorization)",
    message: 'access Restricted needs authorization; for any identity write access: Authenticated',
  },
  {
    rule: "self.access == 'Restricted' || !has(self.authorization)",
    message: 'authorization stands only with access Restricted',
  },
  {
    rule: "self.access == 'Denied' || !has(self.when)",
    message: 'when stands only with access Denied; other rules have their conditions under authorization.when',
  },
];

const rule: Schema = guard(
  'One rule.',
  {
    name,
    matches,
    access: oneOf(
      'Public verifies nothing; Optional identifies who presents a credential; Authenticated takes any identity of the providers; Restricted asks for authorization besides; Denied denies and wins over every other rule.',
      ['Public', 'Optional', 'Authenticated', 'Restricted', 'Denied'],
    ),
    authorization,
    authentication: authenticationOfRule,
    addresses: addresses(
      'Addresses that the rule is for, on top of those of the policy. A Denied rule hits the clients that these refuse.',
    ),
    upstream,
    response,
    when,
    ...ruleProtections,
  },
  {
    required: ['name', 'matches', 'access'],
    validations: [
      ...validations,
      ...['authentication', 'upstream', 'response'].map((field) => ({
        rule: `self.access != 'Denied' || !has(self.${field})`,
        message: `a Denied rule takes only matches, addresses and when, not ${field}`,
      })),
      {
        rule: "self.access != 'Public' || !has(self.authentication)",
        message: 'a Public rule verifies nothing: leave authentication out, or write access: Authenticated',
      },
    ],
  },
);

/** A rule of the floor: it restricts and never allows, and says nothing of identity providers or answers. */
const floorRule: Schema = guard(
  'One rule.',
  {
    name,
    matches,
    access: oneOf(
      'Denied denies; Authenticated and Restricted are demands beside the rule that decides. The floor allows nothing.',
      ['Authenticated', 'Restricted', 'Denied'],
    ),
    authorization,
    addresses: addresses('Addresses that the rule is for. A Denied rule hits the clients that these refuse.'),
    when,
    ...ruleProtections,
  },
  { required: ['name', 'matches', 'access'], validations },
);

/** Two rules of one name could not be told apart in an answer or a log. */
export const distinctRuleNames: Validation = {
  rule: '!has(self.rules) || self.rules.all(r, self.rules.exists_one(o, o.name == r.name))',
  message: 'no two rules may have the same name',
};

export const rules: Schema = list(
  'What is allowed and denied. What no rule matches is denied; the order means nothing but between rules of equal rank.',
  rule,
  64,
);

export const floorRules: Schema = list(
  'Every rule that matches must hold. They match ignoring case and a slash at the end.',
  floorRule,
  64,
);
