import { isJsonObject, ownMember, type JsonValue } from '../core/json.ts';
import type { ProblemCode } from '../core/problem.ts';
import type { FieldPath, ProblemList } from './problem-list.ts';
import { findDispute } from './providers/credential-forms.ts';
import type { IdentityProviderSpec } from './provider-spec.ts';
import { specKey } from './spec-name.ts';
import type { AccessPolicySpec, ProviderRef } from './spec.ts';

/** A provider by its key: what it is, `refused` where it exists and cannot be used, undefined where it does not exist. */
export type FindProvider = (key: string) => IdentityProviderSpec | 'refused' | undefined;

/** The providers that a policy names: each must exist, and a token must have one judge. `written` is the document. */
export function checkProviders(
  spec: AccessPolicySpec,
  written: JsonValue,
  find: FindProvider,
  problems: ProblemList,
): void {
  for (const ref of spec.providers) {
    const key = specKey(ref);
    const provider = find(key);
    if (provider !== undefined && provider !== 'refused') continue;
    const [code, why]: [ProblemCode, string] =
      provider === 'refused' ? ['invalid-reference', 'was refused'] : ['missing-reference', 'does not exist'];
    const missing = code === 'missing-reference' ? key : undefined;
    problems.error(code, pathOfProvider(written, ref.name), `the ${key} that the policy names ${why}`, missing);
  }
  checkLayers(spec, written, find, problems);
  const reported = new Set<string>();
  for (const [index, { providers }] of spec.rules.entries()) {
    const dispute = providers.length < 2 ? undefined : findDispute(providers.flatMap((ref) => found(ref, find)));
    if (dispute === undefined || reported.has(dispute)) continue;
    reported.add(dispute);
    problems.error('ambiguous-provider', ['spec', 'rules', index], `${dispute}: a credential must have one judge`);
  }
}

/** S18: who connects and who calls are two questions. */
function checkLayers(spec: AccessPolicySpec, written: JsonValue, find: FindProvider, problems: ProblemList): void {
  const { peer } = spec;
  for (const provider of peer === undefined ? [] : found(peer, find)) {
    if (provider.type !== 'ClientCertificate')
      problems.error(
        'invalid-reference',
        ['spec', 'authentication', 'peer'],
        `${provider.name} is of type ${provider.type}: only one of type ClientCertificate knows who connects; name it under providers`,
      );
  }
  for (const ref of new Set(spec.rules.flatMap(({ providers }) => providers))) {
    for (const provider of found(ref, find)) {
      if (provider.type === 'ClientCertificate')
        problems.error(
          'invalid-reference',
          pathOfProvider(written, ref.name),
          `${provider.name} is of type ClientCertificate and says who connects: name it as the peer`,
        );
    }
  }
}

function found(ref: ProviderRef, find: FindProvider): readonly IdentityProviderSpec[] {
  const provider = find(specKey(ref));
  return provider === undefined || provider === 'refused' ? [] : [provider];
}

/** Where the document names the provider first: at the policy, else at a rule. */
function pathOfProvider(written: JsonValue, name: string): FieldPath {
  const spec = memberOf(written, 'spec');
  const rules = memberOf(spec, 'rules');
  const parts: [FieldPath, JsonValue | undefined][] = [[['spec'], spec]];
  if (Array.isArray(rules)) rules.forEach((rule: JsonValue, index) => parts.push([['spec', 'rules', index], rule]));
  for (const [at, part] of parts) {
    const providers = memberOf(memberOf(part, 'authentication'), 'providers');
    const index = Array.isArray(providers)
      ? providers.findIndex((provider: JsonValue) => memberOf(provider, 'name') === name)
      : -1;
    if (index >= 0) return [...at, 'authentication', 'providers', index];
  }
  if (memberOf(memberOf(memberOf(spec, 'authentication'), 'peer'), 'name') === name)
    return ['spec', 'authentication', 'peer'];
  return ['spec'];
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? ownMember(value, name) : undefined;
}
