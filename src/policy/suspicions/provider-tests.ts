import type { ProblemList } from '../problem-list.ts';
import { expressionsOfAccess } from '../rule-expressions.ts';
import type { AccessPolicySpec, AuthorizationBlock } from '../spec.ts';

/** S19: roles and subjects are a provider's own; where several could have vouched, a rule should say which one it believes. */
export function warnOfProviderTests({ rules }: AccessPolicySpec, problems: ProblemList): void {
  for (const [index, { name, providers, authorization }] of rules.entries()) {
    if (authorization === undefined || providers.length < 2 || authorization.providers !== undefined) continue;
    const at = ['spec', 'rules', index, 'authorization'];
    const names = providers.map((provider) => provider.name).join(', ');
    const warn = (what: string, where: readonly (string | number)[]): void => {
      const message = `the rule ${name} tests ${what} of whichever of ${names} vouches: say providers beside it, or each could hand it out`;
      problems.warning('provider-not-named', where, message);
    };
    const own = testsOfOne(authorization);
    if (own !== undefined) warn(own, at);
    for (const [position, block] of authorization.anyOf.entries()) {
      const tested = block.providers === undefined ? testsOfOne(block) : undefined;
      if (tested !== undefined) warn(tested, [...at, 'anyOf', position]);
    }
  }
}

const ofOne = /\bidentity\.(?:roles|subject)\b/;
const saysWhose = /\bidentity\.(?:provider|issuer)\b/;

/** What of the block means something only within one provider. */
function testsOfOne({ roles, claims, when, kubernetes }: AuthorizationBlock): string | undefined {
  if (roles !== undefined) return 'roles';
  const conditions = kubernetes === undefined ? when : [...when, ...expressionsOfAccess(kubernetes)];
  if (conditions.some(({ expression }) => ofOne.test(expression) && !saysWhose.test(expression)))
    return 'roles or subjects';
  return claims.some(({ claim, test }) => (claim === 'sub' || claim === '/sub') && test === 'in')
    ? 'subjects'
    : undefined;
}
