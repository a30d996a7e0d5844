import { compileClaimPath } from '../../core/claim-path.ts';
import { denial, type Denial } from '../../core/decision.ts';
import type { AuthorizationBlock, AuthorizationSpec, ClaimTest, ListTest } from '../../policy/spec.ts';
import { insufficientScopeChallenge } from '../../std/www-authenticate.ts';
import type { AuthorizationInput, AuthorizationTest } from './authorization-test.ts';
import { compileConditions } from './compile-conditions.ts';
import { compileStepUp } from './compile-step-up.ts';

/** Compiles `authorization`: everything in it must hold, and one block of `anyOf` where there is one (S21). */
export function compileAuthorization(spec: AuthorizationSpec): AuthorizationTest {
  const own = compileBlock(spec);
  const alternatives = spec.anyOf.map(compileBlock);
  if (alternatives.length === 0) return own;
  return (input) => own(input) ?? firstOf(alternatives, input);
}

/** Undefined where one of the alternatives holds; else what the first of them objects. */
function firstOf(alternatives: readonly AuthorizationTest[], input: AuthorizationInput): Denial | undefined {
  let objection: Denial | undefined;
  for (const test of alternatives) {
    const found = test(input);
    if (found === undefined) return undefined;
    objection ??= found;
  }
  return objection;
}

function compileBlock(block: AuthorizationBlock): AuthorizationTest {
  const tests: AuthorizationTest[] = [];
  if (block.providers !== undefined) tests.push(compileProviders(block.providers));
  if (block.scopes !== undefined) tests.push(compileScopes(block.scopes));
  if (block.roles !== undefined) tests.push(compileRoles(block.roles));
  for (const test of block.claims) tests.push(compileClaim(test));
  if (block.when.length > 0) tests.push(compileConditions(block.when));
  // Last: a client that steps up for nothing has been sent around.
  if (block.stepUp !== undefined) tests.push(compileStepUp(block.stepUp));
  return (input) => {
    for (const test of tests) {
      const objection = test(input);
      if (objection !== undefined) return objection;
    }
    return undefined;
  };
}

function compileProviders(names: readonly string[]): AuthorizationTest {
  const objection = denial('provider_not_allowed');
  return ({ identity }) => (names.includes(identity.provider) ? undefined : objection);
}

function compileScopes(test: ListTest): AuthorizationTest {
  const holds = compileListTest(test);
  const asked = [...test.allOf, ...test.anyOf];
  const message = 'The token lacks a scope that the rule asks for.';
  return ({ identity, realm }) =>
    holds(identity.scopes)
      ? undefined
      : denial('insufficient_scope', message, [insufficientScopeChallenge('Bearer', realm, asked)]);
}

function compileRoles(test: ListTest): AuthorizationTest {
  const holds = compileListTest(test);
  const objection = denial('role_missing', 'The identity lacks a role that the rule asks for.');
  return ({ identity }) => (holds(identity.roles) ? undefined : objection);
}

function compileListTest({ allOf, anyOf }: ListTest): (values: readonly string[]) => boolean {
  return (values) =>
    allOf.every((value) => values.includes(value)) &&
    (anyOf.length === 0 || anyOf.some((value) => values.includes(value)));
}

/** A claim test on an identity without claims fails, `exists: false` too (S21). */
function compileClaim(test: ClaimTest): AuthorizationTest {
  const read = compileClaimPath(test.claim);
  const holds = compileClaimTest(test);
  const objection = denial('claim_mismatch', `The claim ${test.claim} is not what the rule asks for.`);
  return ({ identity: { claims } }) => (claims !== undefined && holds(read(claims)) ? undefined : objection);
}

function compileClaimTest(test: ClaimTest): (value: unknown) => boolean {
  switch (test.test) {
    case 'in': {
      const values = new Set<unknown>(test.values);
      return (value) =>
        Array.isArray(value) ? isTexts(value) && value.some((element) => values.has(element)) : values.has(value);
    }
    case 'bool':
      return (value) => value === test.value;
    case 'exists':
      // A claim that is null says nothing.
      return (value) => (value !== undefined && value !== null) === test.value;
  }
}

function isTexts(values: readonly unknown[]): boolean {
  return values.every((value) => typeof value === 'string');
}
