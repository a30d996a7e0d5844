import { parseDuration } from '../../std/duration.ts';
import { quote, type FieldPath, type ProblemList } from '../problem-list.ts';

/** A duration in seconds; undefined where there is none, or none that can be read. */
export function readSeconds(text: string | undefined, at: FieldPath, problems: ProblemList): number | undefined {
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined)
    problems.error('invalid-value', at, `${quote(text)} is no duration: write 30s, 5m or 24h`);
  return milliseconds === undefined ? undefined : milliseconds / 1000;
}
