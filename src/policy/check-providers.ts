import { isJsonObject, ownMember, type JsonValue } from '../core/json.ts';
import type { ProblemCode } from '../core/problem.ts';
import type { FieldPath, ProblemList } from './problem-list.ts';
import { specKey, type AccessPolicySpec, type IdentityProviderSpec, type ProviderRef } from './spec.ts';

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
    const found = find(key);
    if (found !== undefined && found !== 'refused') continue;
    const [code, why]: [ProblemCode, string] =
      found === 'refused' ? ['invalid-reference', 'was refused'] : ['missing-reference', 'does not exist'];
    const missing = code === 'missing-reference' ? key : undefined;
    problems.error(code, pathOfProvider(written, ref.name), `the ${key} that the policy names ${why}`, missing);
  }
  const reported = new Set<string>();
  for (const [index, { providers }] of spec.rules.entries()) {
    const twin = twoOfOneIssuer(providers, find);
    if (twin === undefined || reported.has(twin)) continue;
    reported.add(twin);
    problems.error(
      'ambiguous-provider',
      ['spec', 'rules', index],
      `two providers of one rule have the issuer ${twin}: a token must have one judge`,
    );
  }
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
  return ['spec'];
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? ownMember(value, name) : undefined;
}

function twoOfOneIssuer(refs: readonly ProviderRef[], find: FindProvider): string | undefined {
  if (refs.length < 2) return undefined;
  const issuers = new Set<string>();
  for (const ref of refs) {
    const found = find(specKey(ref));
    if (found === undefined || found === 'refused') continue;
    if (issuers.has(found.issuer)) return found.issuer;
    issuers.add(found.issuer);
  }
  return undefined;
}
