import type { Identity } from '../core/identity.ts';
import { ownMember, type JsonValue } from '../core/json.ts';

/** What an expression can see. */
export interface Scope {
  readonly identity: Identity;
}

export interface Expression {
  readonly kind: 'expression';
  /** The value; undefined where what it names is absent. Never throws. */
  evaluate(scope: Scope): JsonValue | undefined;
}

export interface InvalidExpression {
  readonly kind: 'invalid';
  readonly why: string;
}

const identityFields = new Map<string, (identity: Identity) => JsonValue>([
  ['subject', (identity) => identity.subject],
  ['issuer', (identity) => identity.issuer],
  ['provider', (identity) => identity.provider],
  ['clientId', (identity) => identity.clientId],
  ['scopes', (identity) => identity.scopes],
  ['roles', (identity) => identity.roles],
]);

const claimPath = /^identity\.claims\.([A-Za-z_][A-Za-z0-9_]*)$/;
const fieldPath = /^identity\.([A-Za-z]+)$/;

/** Compiles the paths that this version evaluates: `identity.FIELD` and `identity.claims.NAME`. */
export function compileExpression(source: string): Expression | InvalidExpression {
  const claim = claimPath.exec(source)?.[1];
  if (claim !== undefined) {
    return {
      kind: 'expression',
      evaluate: ({ identity }) => (identity.claims === undefined ? undefined : ownMember(identity.claims, claim)),
    };
  }
  const field = identityFields.get(fieldPath.exec(source)?.[1] ?? '');
  if (field === undefined) {
    return {
      kind: 'invalid',
      why: `this version evaluates only identity.${[...identityFields.keys()].join(', identity.')} and identity.claims.NAME`,
    };
  }
  return { kind: 'expression', evaluate: ({ identity }) => field(identity) };
}
