import type { Denial } from '../../core/decision.ts';
import type { Identity } from '../../core/identity.ts';
import type { JsonValue } from '../../core/json.ts';
import type { TracedTest } from '../../core/trace.ts';
import type { ChallengeParameter } from '../../std/www-authenticate.ts';
import type { Scope } from '../../expressions/scope.ts';

/** What an authorization is judged on. */
export interface AuthorizationInput {
  readonly identity: Identity;
  /** Writes the challenges for what the credential lacks: `error` and what goes with it. */
  readonly challenge: (error: readonly ChallengeParameter[]) => readonly string[];
  /** Seconds since the epoch. */
  readonly now: number;
  /** Told of every test; where somebody listens, those behind the first objection are made too. */
  readonly tell?: ((test: TracedTest) => void) | undefined;
  /** What conditions see; called where there is one. */
  readonly scope: () => Scope;
}

/** Judges whether an identity may; undefined: it may. */
export type AuthorizationTest = (input: AuthorizationInput) => Denial | undefined;

/** What a test tells of itself. `read` gives what it looks at. */
export interface TestDescription {
  readonly what: string;
  readonly asks: JsonValue;
  readonly read: (input: AuthorizationInput) => JsonValue | undefined;
}

/** The same test, which tells of itself where somebody listens. */
export function telling({ what, asks, read }: TestDescription, test: AuthorizationTest): AuthorizationTest {
  return (input) => {
    const objection = test(input);
    input.tell?.({ what, asks, value: read(input), objection, block: undefined });
    return objection;
  };
}
