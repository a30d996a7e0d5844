import type { Denial } from '../core/decision.ts';
import type { Request } from '../core/request.ts';
import type { RestrictingFate } from '../core/trace.ts';
import type { RequestScope } from '../expressions/scope.ts';
import type { DeniedRule } from './compile-policy.ts';
import type { Demand } from './floor.ts';
import { deniesMethod, type Candidate } from './route-index.ts';

/** What a rule that only restricts does with a request. */
export interface Restriction {
  readonly fate: RestrictingFate;
  /** Where the request cannot be read in one way (S13). */
  readonly objection?: Denial;
}

const restrictions = {
  hits: { fate: 'hits' },
  method: { fate: 'method' },
  condition: { fate: 'header-or-query' },
  address: { fate: 'address-not-refused' },
  when: { fate: 'condition' },
} as const satisfies Record<string, Restriction>;

/** Whether a rule that only restricts takes the request, whose path fits it (S15). */
export function restricts(
  { match, rule }: Candidate<DeniedRule | Demand>,
  { request, expressions }: { readonly request: Request; readonly expressions: RequestScope },
): Restriction {
  if (!deniesMethod(match.methods, request.method)) return restrictions.method;
  const condition = match.conditions === undefined || match.conditions(request);
  if (typeof condition !== 'boolean') return { fate: 'ambiguous', objection: condition };
  if (!condition) return restrictions.condition;
  if (!('code' in rule)) return restrictions.hits;
  if (rule.addresses !== undefined && rule.addresses(request.clientIp) === undefined) return restrictions.address;
  return rule.conditions === undefined || rule.conditions(expressions) ? restrictions.hits : restrictions.when;
}
