import type { Problem } from '../../core/problem.ts';
import { closest } from '../../std/closest.ts';
import { namedPlace, type GivenValue } from './given-value.ts';
import { configFileEnv, settingEntries } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const ours = 'PORTCULLIS_';

/** What Kubernetes sets in every pod for a Service whose name begins with `portcullis`. */
const serviceLink = /_SERVICE_(?:HOST|PORT(?:_.*)?)$|_PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?$/;

/** The `PORTCULLIS_*` variables; those that name no setting are warnings, because other software may set variables too. */
export function readEnvironment(env: Environment): {
  readonly values: readonly GivenValue[];
  readonly problems: readonly Problem[];
} {
  const values: GivenValue[] = [];
  const known = new Set<string>([configFileEnv]);
  for (const [key, { env: name }] of settingEntries()) {
    known.add(name);
    const text = env[name];
    if (text !== undefined) values.push({ key, form: { kind: 'texts', texts: [text] }, origin: namedPlace(name) });
  }
  const problems = Object.keys(env)
    .filter((name) => name.startsWith(ours) && !known.has(name) && !serviceLink.test(`_${name.slice(ours.length)}`))
    .toSorted()
    .map((name) => unknownVariable(name, known));
  return { values, problems };
}

function unknownVariable(name: string, known: Iterable<string>): Problem {
  const meant = closest(name, known);
  return {
    code: 'unknown-field',
    severity: 'warning',
    message: `No setting has the variable ${name}; it is ignored.${meant === undefined ? '' : ` Did you mean ${meant}?`}`,
    field: '',
    place: namedPlace(name),
  };
}
