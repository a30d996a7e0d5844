import { parseCidr } from '../std/ip.ts';
import type {
  AccessPolicyShape,
  AddressesShape,
  AuthenticationShape,
  AuthorizationShape,
  ProviderRefShape,
  RuleShape,
} from './document-shape.ts';
import { checkExpressions } from './check-expressions.ts';
import { quote, type FieldPath, type ProblemList } from './problem-list.ts';
import { readAuthorization } from './read-authorization.ts';
import { readResourceMetadata } from './read-resource-metadata.ts';
import { readAttachment } from './read-attachment.ts';
import { readMatch } from './read-match.ts';
import { mergeResponse, mergeUpstream, readResponse, readUpstream } from './read-response.ts';
import { shareParts } from './share-parts.ts';
import type { SpecName } from './spec-name.ts';
import type { AccessPolicySpec, AddressesSpec, ProviderRef, RuleSpec } from './spec.ts';
import { readDeniedConditions } from './read-conditions.ts';

/** Reads the `spec` of an AccessPolicy whose structure is right; undefined where an error makes it unusable. */
export function readPolicy(
  name: SpecName,
  shape: AccessPolicyShape,
  problems: ProblemList,
): AccessPolicySpec | undefined {
  const inherited: Inherited = {
    allowEncoded: readAllowEncoded(shape.paths?.allowEncoded ?? [], problems),
    providers: readProviders(shape.authentication, name.namespace, ['spec', 'authentication'], problems),
    peer: shape.authentication?.peer && toProviderRef(shape.authentication.peer, name.namespace),
    upstream: readUpstream(shape.upstream, ['spec', 'upstream'], problems),
    response: readResponse(shape.response, ['spec', 'response'], problems),
  };
  checkRuleNames(shape.rules, problems);
  const rules = shape.rules.map((rule, index) => readRule(name, rule, inherited, ['spec', 'rules', index], problems));
  const attachment = readAttachment(shape, problems);
  const metadata = shape.authentication?.resourceMetadata;
  const spec: AccessPolicySpec = {
    kind: 'AccessPolicy',
    namespace: name.namespace,
    name: name.name,
    mode: shape.mode ?? 'Enforce',
    onInvalid: shape.onInvalid ?? 'KeepLast',
    ...attachment,
    paths: { parameters: shape.paths?.parameters ?? 'Refuse', allowEncoded: inherited.allowEncoded },
    addresses: readAddresses(shape.addresses, ['spec', 'addresses'], problems),
    providers: distinctProviders([
      ...inherited.providers,
      ...rules.flatMap((rule) => rule.providers),
      ...(inherited.peer === undefined ? [] : [inherited.peer]),
    ]),
    peer: inherited.peer,
    resourceMetadata: metadata && readResourceMetadata(metadata, attachment.hosts, problems),
    setsHeaders: [
      ...new Set(
        [inherited.upstream.headers, ...rules.map((rule) => rule.upstream.headers)].flat().map(({ name }) => name),
      ),
    ],
    rules,
    response: inherited.response,
  };
  checkExpressions(rules, problems);
  return problems.hasError() ? undefined : shareParts(spec);
}

interface Inherited {
  readonly allowEncoded: readonly string[];
  readonly providers: readonly ProviderRef[];
  readonly peer: ProviderRef | undefined;
  readonly upstream: ReturnType<typeof readUpstream>;
  readonly response: ReturnType<typeof readResponse>;
}

function readRule(
  name: SpecName,
  rule: RuleShape,
  inherited: Inherited,
  at: FieldPath,
  problems: ProblemList,
): RuleSpec {
  const needsIdentity = rule.access !== 'Public' && rule.access !== 'Denied';
  const own = readProviders(rule.authentication, name.namespace, [...at, 'authentication'], problems);
  const providers = own.length > 0 ? own : inherited.providers;
  if (needsIdentity && providers.length === 0 && inherited.peer === undefined) {
    problems.error(
      'missing-provider',
      [...at, 'access'],
      `access ${rule.access} needs an identity: name a provider under authentication.providers, or a peer`,
    );
  }
  checkParts(rule, at, problems);
  const vouching = providers.length > 0 || inherited.peer === undefined ? providers : [inherited.peer];
  checkProviderNames(rule.authorization, vouching, [...at, 'authorization'], problems);
  const upstream = readUpstream(rule.upstream, [...at, 'upstream'], problems);
  const response = readResponse(rule.response, [...at, 'response'], problems);
  return {
    name: rule.name,
    matches: rule.matches.flatMap(
      (match, index) =>
        readMatch(match, inherited.allowEncoded, [...at, 'matches', index], problems, problems.patterns) ?? [],
    ),
    access: rule.access,
    providers: rule.access === 'Denied' ? [] : providers,
    authorization:
      rule.authorization === undefined
        ? undefined
        : readAuthorization(rule.authorization, [...at, 'authorization'], problems),
    addresses: readAddresses(rule.addresses, [...at, 'addresses'], problems),
    when: readDeniedConditions(rule, at, problems),
    upstream: mergeUpstream(inherited.upstream, upstream, rule.access),
    response: mergeResponse(inherited.response, response),
  };
}

/** A block can only ask for a provider that could have been the one. */
function checkProviderNames(
  authorization: AuthorizationShape | undefined,
  providers: readonly ProviderRef[],
  at: FieldPath,
  problems: ProblemList,
): void {
  const check = (names: readonly string[] | undefined, where: FieldPath): void => {
    for (const [index, name] of (names ?? []).entries()) {
      if (providers.some((provider) => provider.name === name)) continue;
      problems.error(
        'missing-reference',
        [...where, 'providers', index],
        `${name} is none of the providers of the rule`,
      );
    }
  };
  check(authorization?.providers, at);
  for (const [index, block] of (authorization?.anyOf ?? []).entries()) check(block.providers, [...at, 'anyOf', index]);
}

/** S1: Restricted needs `authorization`, the others refuse it. */
export function checkAuthorizationPresence(
  rule: { readonly access: string; readonly authorization?: AuthorizationShape },
  at: FieldPath,
  problems: ProblemList,
): void {
  if (rule.access === 'Restricted' && rule.authorization === undefined) {
    problems.error(
      'missing-field',
      at,
      'access Restricted needs authorization; for any identity write access: Authenticated',
    );
  }
  if (rule.access !== 'Restricted' && rule.authorization !== undefined) {
    problems.error(
      'invalid-value',
      [...at, 'authorization'],
      `authorization stands only with access Restricted, not with ${rule.access}: ${authorizationRemedy(rule)}`,
    );
  }
}

function authorizationRemedy({
  access,
  authorization,
}: {
  access: string;
  authorization?: AuthorizationShape;
}): string {
  if (access !== 'Denied') return 'write access: Restricted, or leave it out';
  return authorization?.when === undefined
    ? 'leave it out'
    : `a condition over the request stands on the rule, when: [{expression: '…'}]`;
}

/** S15: Denied rules take only matches, addresses and conditions. */
function checkParts(rule: RuleShape, at: FieldPath, problems: ProblemList): void {
  checkAuthorizationPresence(rule, at, problems);
  if (rule.access === 'Denied') {
    for (const field of ['authentication', 'upstream', 'response'] as const) {
      if (rule[field] !== undefined)
        problems.error(
          'invalid-value',
          [...at, field],
          `a Denied rule takes only matches, addresses and when, not ${field}`,
        );
    }
  }
  if (rule.access === 'Public' && rule.authentication !== undefined) {
    problems.error(
      'invalid-value',
      [...at, 'authentication'],
      'a Public rule verifies nothing: leave authentication out, or write access: Authenticated',
    );
  }
}

function readAllowEncoded(written: readonly string[], problems: ProblemList): readonly string[] {
  return written.map((escape, index) => {
    const upper = escape.toUpperCase();
    if (!['%2F', '%23', '%25', '%3F'].includes(upper)) {
      problems.error(
        'invalid-value',
        ['spec', 'paths', 'allowEncoded', index],
        `${quote(escape)}: only %2F, %23, %25 and %3F can be allowed`,
      );
    }
    return upper;
  });
}

function readProviders(
  shape: AuthenticationShape | undefined,
  namespace: string,
  at: FieldPath,
  problems: ProblemList,
): readonly ProviderRef[] {
  const refs = (shape?.providers ?? []).map((ref) => toProviderRef(ref, namespace));
  const names = new Set<string>();
  for (const [index, { name }] of refs.entries()) {
    if (names.has(name))
      problems.error('duplicate-name', [...at, 'providers', index], `two providers are named ${name}`);
    names.add(name);
  }
  return refs;
}

function toProviderRef({ kind = 'IdentityProvider', name }: ProviderRefShape, namespace: string): ProviderRef {
  return { kind, namespace: kind === 'IdentityProvider' ? namespace : '', name };
}

/** Reads `addresses`; a range that is none is a Problem. */
export function readAddresses(
  shape: AddressesShape | undefined,
  at: FieldPath,
  problems: ProblemList,
): AddressesSpec | undefined {
  if (shape === undefined) return undefined;
  for (const part of ['allow', 'deny'] as const) {
    for (const [index, text] of (shape[part] ?? []).entries()) {
      if (parseCidr(text) === undefined) {
        problems.error(
          'invalid-value',
          [...at, part, index],
          `${quote(text)} is no address range: write 10.0.0.0/8, 2001:db8::/32 or one address, with no bit set behind the prefix`,
        );
      }
    }
  }
  return { allow: shape.allow ?? [], deny: shape.deny ?? [] };
}

/** Two rules of one name could not be told apart in an answer or a log. */
export function checkRuleNames(rules: readonly { readonly name: string }[], problems: ProblemList): void {
  const names = new Set<string>();
  for (const [index, { name }] of rules.entries()) {
    if (names.has(name))
      problems.error('duplicate-name', ['spec', 'rules', index, 'name'], `two rules are named ${name}`);
    names.add(name);
  }
}

function distinctProviders(refs: readonly ProviderRef[]): ProviderRef[] {
  return [...new Map(refs.map((ref) => [`${ref.kind} ${ref.namespace}/${ref.name}`, ref])).values()];
}
