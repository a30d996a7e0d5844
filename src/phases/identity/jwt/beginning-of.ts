import { ownMember, type JsonObject } from '../../../core/json.ts';

/**
 * The latest of the dates before which a token is none, in seconds since the epoch; undefined where it names none. A remembered token is held
 * against it as one that was never seen is: the wall clock may have been set back since.
 */
export function beginningOf(claims: JsonObject, names: readonly string[] = ['nbf', 'iat']): number | undefined {
  const dates = names.map((name) => ownMember(claims, name)).filter((date) => typeof date === 'number');
  return dates.length === 0 ? undefined : Math.max(...dates);
}
