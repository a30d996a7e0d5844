import { denial, type Denial } from '../../../core/decision.ts';
import { isJsonObject, ownMember, type JsonValue } from '../../../core/json.ts';
import type { TokenBinding } from '../../../policy/provider-spec.ts';
import type { Credential } from '../identity-provider.ts';
import { judgeDpopScheme } from './judge-dpop-scheme.ts';

/**
 * Refuses a token that its holder does not prove to hold; `cnf` is what the token says of that (RFC 7800), undefined where it says
 * nothing. Asked on every request, also for a token that is known: only the token is remembered, never the proof.
 */
export type BindingCheck = (
  cnf: JsonValue | undefined,
  credential: Credential,
) => Denial | undefined | Promise<Denial | undefined>;

/** Refuses a credential whose request does not prove what this member of `cnf` asks for. */
export type ConfirmationJudge = (
  member: JsonValue,
  credential: Credential,
) => Denial | undefined | Promise<Denial | undefined>;

/** One for each way of binding. */
export type ConfirmationJudges = { readonly [method in keyof TokenBinding]: ConfirmationJudge };

/** The member of `cnf` that binds by each way: RFC 8705 3.1, RFC 9449 6.1. */
const memberOf = { certificate: 'x5t#S256', dpop: 'jkt' } as const satisfies Record<keyof TokenBinding, string>;
const methods = ['certificate', 'dpop'] as const;
const known: ReadonlySet<string> = new Set(Object.values(memberOf));

/** Compiles the whole check of a provider: all ways by which a token is bound must hold, but for those that the rules say to ignore. */
export function compileBindingCheck(rules: TokenBinding, judges: ConfirmationJudges): BindingCheck {
  const asked = methods.filter((method) => rules[method] !== 'Ignore');
  return (cnf, credential) => {
    const refused = judgeConfirmation(cnf, rules) ?? judgeDpopScheme(cnf, credential, rules);
    if (refused !== undefined || !isJsonObject(cnf)) return refused;
    let waiting: Promise<Denial | undefined> | undefined;
    for (const method of asked) {
      const member = ownMember(cnf, memberOf[method]);
      if (member === undefined) continue;
      const judge = (): Denial | undefined | Promise<Denial | undefined> => judges[method](member, credential);
      const verdict = waiting === undefined ? judge() : waiting.then((earlier) => earlier ?? judge());
      if (verdict instanceof Promise) waiting = verdict;
      else if (verdict !== undefined) return verdict;
    }
    return waiting;
  };
}

/** What can be refused before any proof is looked at: `cnf` of another form, a way of binding that we do not know, one that is required and not there. */
export function judgeConfirmation(cnf: JsonValue | undefined, rules: TokenBinding): Denial | undefined {
  const missing = methods.find(
    (method) => rules[method] === 'Required' && !(isJsonObject(cnf) && Object.hasOwn(cnf, memberOf[method])),
  );
  if (missing !== undefined) return unbound[missing];
  if (cnf === undefined) return undefined;
  if (!isJsonObject(cnf)) return denial('token_binding', 'The claim cnf of the token is not an object.');
  const names = Object.keys(cnf);
  const isKnown = names.length > 0 && names.every((name) => known.has(name));
  return isKnown ? undefined : denial('token_binding', 'The token is bound in a way that is not supported.');
}

const unbound = {
  certificate: denial('token_binding', 'The provider takes only tokens that are bound to a client certificate.'),
  dpop: denial('token_binding', 'The provider takes only tokens that are bound to a DPoP key.'),
};
