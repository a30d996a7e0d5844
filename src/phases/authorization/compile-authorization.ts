import { compileClaimPath } from '../../core/claim-path.ts';
import { denial } from '../../core/decision.ts';
import type { JsonObject } from '../../core/json.ts';
import type { AuthorizationBlock, AuthorizationSpec, ClaimTest, ListTest } from '../../policy/spec.ts';
import { compileOnce } from '../../std/shared-values.ts';
import type { ChallengeParameter } from '../../std/www-authenticate.ts';
import {
  telling,
  type AuthorizationInput,
  type AuthorizationTest,
  type ImmediateTest,
  type Objection,
} from './authorization-test.ts';
import { compileConditions } from './compile-conditions.ts';
import { compileKubernetesAccess } from './compile-kubernetes-access.ts';
import { compileStepUp } from './compile-step-up.ts';

/** Compiles `authorization`: everything in it must hold, and one block of `anyOf` where there is one (S21). */
export const compileAuthorization = compileOnce((spec: AuthorizationSpec): AuthorizationTest => {
  const own = compileBlock(spec);
  const alternatives = compileAlternatives(spec.anyOf);
  if (alternatives === undefined) return own;
  return (input) => {
    const objection = own(input);
    return objection instanceof Promise
      ? objection.then((late) => unlessRefused(late, input, alternatives))
      : unlessRefused(objection, input, alternatives);
  };
});

/** Where somebody listens the test is made all the same. */
function unlessRefused(
  objection: Objection,
  input: AuthorizationInput,
  test: AuthorizationTest,
): Objection | Promise<Objection> {
  if (objection !== undefined && input.tell === undefined) return objection;
  const found = test(input);
  return found instanceof Promise ? found.then((late) => objection ?? late) : (objection ?? found);
}

interface Alternative {
  /** In `anyOf`. */
  readonly block: number;
  readonly test: AuthorizationTest;
}

/** Undefined where there are none. Those that ask somebody else come after those that do not. */
function compileAlternatives(blocks: readonly AuthorizationBlock[]): AuthorizationTest | undefined {
  const all = blocks.map((spec, block) => ({ block, test: compileBlock(spec), asks: spec.kubernetes !== undefined }));
  if (all.length === 0) return undefined;
  const ordered = [...all.filter(({ asks }) => !asks), ...all.filter(({ asks }) => asks)];
  return (input) => firstOf(ordered, 0, [], input);
}

/** Undefined where one of the alternatives holds; else what the first of them objects, but that nobody could tell goes before all else. */
function firstOf(
  alternatives: readonly Alternative[],
  from: number,
  objections: Objection[],
  input: AuthorizationInput,
): Objection | Promise<Objection> {
  const { tell } = input;
  for (const [index, { block, test }] of alternatives.entries()) {
    if (index < from) continue;
    const found = test(tell === undefined ? input : { ...input, tell: (told) => tell({ ...told, block }) });
    if (found instanceof Promise)
      return found.then((late) => {
        objections[block] = late;
        return late && firstOf(alternatives, index + 1, objections, input);
      });
    if (found === undefined) return undefined;
    objections[block] = found;
  }
  return objections.find((one) => one?.code === 'review_unavailable') ?? objections[0];
}

function compileBlock(block: AuthorizationBlock): AuthorizationTest {
  const tests: ImmediateTest[] = [];
  if (block.providers !== undefined) tests.push(compileProviders(block.providers));
  if (block.scopes !== undefined) tests.push(compileScopes(block.scopes));
  if (block.roles !== undefined) tests.push(compileRoles(block.roles));
  for (const test of block.claims) tests.push(compileClaim(test));
  if (block.when.length > 0) tests.push(compileConditions(block.when));
  // Last: a client that steps up for nothing has been sent around.
  const stepUp = block.stepUp === undefined ? [] : [compileStepUp(block.stepUp)];
  if (block.kubernetes === undefined) return allOf([...tests, ...stepUp]);
  const cheap = allOf(tests);
  const kubernetes = compileKubernetesAccess(block.kubernetes);
  const last = allOf(stepUp);
  return (input) => {
    const asked = unlessRefused(cheap(input), input, kubernetes);
    return asked instanceof Promise
      ? asked.then((late) => unlessRefused(late, input, last))
      : unlessRefused(asked, input, last);
  };
}

function allOf(tests: readonly ImmediateTest[]): ImmediateTest {
  return (input) => {
    let objection: Objection;
    for (const test of tests) {
      const found = test(input);
      if (found !== undefined && input.tell === undefined) return found;
      objection ??= found;
    }
    return objection;
  };
}

function compileProviders(names: readonly string[]): ImmediateTest {
  const objection = denial('provider_not_allowed');
  const description = { what: 'providers', asks: names, read: ({ identity }: AuthorizationInput) => identity.provider };
  return telling(description, ({ identity }) => (names.includes(identity.provider) ? undefined : objection));
}

function compileScopes(test: ListTest): ImmediateTest {
  const holds = compileListTest(test);
  const asked = [...test.allOf, ...test.anyOf];
  const message = 'The identity lacks a scope that the rule asks for.';
  const description = {
    what: 'scopes',
    asks: asksOf(test),
    read: ({ identity }: AuthorizationInput) => identity.scopes,
  };
  // RFC 6750 3.1: the scopes that would do.
  const error: readonly ChallengeParameter[] = [
    ['error', 'insufficient_scope'],
    ['scope', asked.join(' ')],
  ];
  return telling(description, ({ identity, challenge }) =>
    holds(identity.scopes) ? undefined : denial('insufficient_scope', message, challenge(error)),
  );
}

function compileRoles(test: ListTest): ImmediateTest {
  const holds = compileListTest(test);
  const objection = denial('role_missing', 'The identity lacks a role that the rule asks for.');
  const description = { what: 'roles', asks: asksOf(test), read: ({ identity }: AuthorizationInput) => identity.roles };
  return telling(description, ({ identity }) => (holds(identity.roles) ? undefined : objection));
}

function asksOf({ allOf, anyOf }: ListTest): JsonObject {
  return { ...(allOf.length === 0 ? {} : { allOf }), ...(anyOf.length === 0 ? {} : { anyOf }) };
}

function compileListTest({ allOf, anyOf }: ListTest): (values: readonly string[]) => boolean {
  return (values) =>
    allOf.every((value) => values.includes(value)) &&
    (anyOf.length === 0 || anyOf.some((value) => values.includes(value)));
}

/** A claim test on an identity without claims fails, `exists: false` too (S21). */
function compileClaim(test: ClaimTest): ImmediateTest {
  const read = compileClaimPath(test.claim);
  const holds = compileClaimTest(test);
  const objection = denial('claim_mismatch', `The claim ${test.claim} is not what the rule asks for.`);
  const asks = test.test === 'in' ? { in: test.values } : { [test.test]: test.value };
  const description = {
    what: `claim ${test.claim}`,
    asks,
    read: ({ identity: { claims } }: AuthorizationInput) => (claims === undefined ? undefined : read(claims)),
  };
  return telling(description, ({ identity: { claims } }) => {
    if (claims === undefined) return withoutClaims;
    return holds(read(claims)) ? undefined : objection;
  });
}

const withoutClaims = denial('claim_mismatch', 'The identity has no claims, so that no test of one holds.');

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
