import type { Denial } from '../../core/decision.ts';
import type { Identity } from '../../core/identity.ts';
import type { JsonValue } from '../../core/json.ts';
import type { KubernetesReviews } from '../../core/ports.ts';
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
  /** Whom the questions to Kubernetes are put to; absent where there is no cluster. */
  readonly reviews?: Pick<KubernetesReviews, 'reviewAccess'> | undefined;
}

/** Judges whether an identity may; undefined: it may. Answers at once where nobody else is asked, else with a promise that never rejects. */
export type AuthorizationTest = (input: AuthorizationInput) => Objection | Promise<Objection>;
export type Objection = Denial | undefined;

/** One that asks nobody else. */
export type ImmediateTest = (input: AuthorizationInput) => Objection;

/** What a test tells of itself. `read` gives what it looks at. */
export interface TestDescription {
  readonly what: string;
  readonly asks: JsonValue;
  readonly read: (input: AuthorizationInput) => JsonValue | undefined;
}

/** The same test, which tells of itself where somebody listens. */
export function telling({ what, asks, read }: TestDescription, test: ImmediateTest): ImmediateTest {
  return (input) => {
    const objection = test(input);
    input.tell?.({ what, asks, value: read(input), objection, block: undefined });
    return objection;
  };
}
