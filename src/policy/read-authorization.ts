import { checkClaimName } from './claim-name.ts';
import { parseDuration } from '../std/duration.ts';
import type { AuthorizationShape, BlockShape, ClaimTestShape, ListTestShape, StepUpShape } from './document-shape.ts';
import { quote, type FieldPath, type ProblemList } from './problem-list.ts';
import type { AuthorizationBlock, AuthorizationSpec, ClaimTest, ListTest, StepUpSpec } from './spec.ts';
import { readConditions } from './read-conditions.ts';
import { readKubernetesAccess } from './read-kubernetes-access.ts';

/** Reads `authorization` with its alternatives. */
export function readAuthorization(shape: AuthorizationShape, at: FieldPath, problems: ProblemList): AuthorizationSpec {
  return {
    ...readBlock(shape, at, problems),
    anyOf: (shape.anyOf ?? []).map((block, index) => readBlock(block, [...at, 'anyOf', index], problems)),
  };
}

function readBlock(block: BlockShape, at: FieldPath, problems: ProblemList): AuthorizationBlock {
  return {
    scopes: readListTest(block.scopes, [...at, 'scopes'], problems, isScope),
    roles: readListTest(block.roles, [...at, 'roles'], problems, () => true),
    claims: (block.claims ?? []).flatMap(
      (test, index) => readClaimTest(test, [...at, 'claims', index], problems) ?? [],
    ),
    when: readConditions(block.when ?? [], 'condition', [...at, 'when'], problems),
    providers: block.providers,
    stepUp: readStepUp(block.stepUp, [...at, 'stepUp'], problems),
    kubernetes: readKubernetesAccess(block.kubernetes, [...at, 'kubernetes'], problems),
  };
}

function readListTest(
  shape: ListTestShape | undefined,
  at: FieldPath,
  problems: ProblemList,
  isValid: (value: string) => boolean,
): ListTest | undefined {
  if (shape === undefined) return undefined;
  for (const part of ['allOf', 'anyOf'] as const) {
    const wrong = (shape[part] ?? []).findIndex((value) => !isValid(value));
    if (wrong >= 0) {
      problems.error(
        'invalid-value',
        [...at, part, wrong],
        `${quote(shape[part]?.[wrong])} is no scope: scopes have no space, quote or backslash; list several as elements`,
      );
    }
  }
  return { allOf: shape.allOf ?? [], anyOf: shape.anyOf ?? [] };
}

/** RFC 6749 3.3: scope-token. */
function isScope(value: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value);
}

function readClaimTest(shape: ClaimTestShape, at: FieldPath, problems: ProblemList): ClaimTest | undefined {
  const { claim } = shape;
  checkClaimName(claim, [...at, 'claim'], problems);
  const tests = [shape.in, shape.bool, shape.exists].filter((test) => test !== undefined);
  if (tests.length !== 1) {
    problems.error('invalid-value', at, 'a claim test has exactly one of in, bool and exists');
    return undefined;
  }
  if (shape.in !== undefined) return { claim, test: 'in', values: shape.in };
  if (shape.bool !== undefined) return { claim, test: 'bool', value: shape.bool };
  return { claim, test: 'exists', value: shape.exists === true };
}

function readStepUp(shape: StepUpShape | undefined, at: FieldPath, problems: ProblemList): StepUpSpec | undefined {
  if (shape === undefined) return undefined;
  const acr = shape.acr?.anyOf ?? [];
  const amr = shape.amr?.anyOf ?? [];
  // They travel in the challenge, separated by spaces (RFC 9470 section 3).
  for (const [index, value] of acr.entries()) {
    if (!isScope(value))
      problems.error(
        'invalid-value',
        [...at, 'acr', 'anyOf', index],
        `${quote(value)} has a space, a quote or a backslash`,
      );
  }
  const milliseconds = shape.maxAge === undefined ? undefined : parseDuration(shape.maxAge);
  if (shape.maxAge !== undefined && milliseconds === undefined) {
    problems.error('invalid-value', [...at, 'maxAge'], `${quote(shape.maxAge)} is no duration: write 30s, 5m or 24h`);
  }
  return { acr, amr, maxAge: milliseconds === undefined ? undefined : milliseconds / 1000 };
}
