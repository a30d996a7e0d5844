import { isJsonObject } from '../../core/json.ts';
import type { Place, Problem } from '../../core/problem.ts';
import { readDocuments } from '../../files/read-documents.ts';
import { closest } from '../../std/closest.ts';
import type { GivenValue } from './given-value.ts';
import { settingEntries, type SettingKey } from './settings.ts';

export interface ConfigFile {
  /** As the operator named it. */
  readonly source: string;
  readonly text: string;
}

export interface ConfigFileReading {
  readonly values: readonly GivenValue[];
  readonly problems: readonly Problem[];
}

/** The settings of a config file: one YAML map of camelCase keys, or nothing at all. Unknown keys are errors. */
export function readConfigFile({ source, text }: ConfigFile): ConfigFileReading {
  const [document, second] = readDocuments(source, text);
  if (document === undefined) return { values: [], problems: [] };
  if (document.problems.length > 0) return { values: [], problems: document.problems };
  const whole = document.placeOf([]);
  if (second !== undefined)
    return refusal('A config file holds one YAML document, this one has more.', second.placeOf([]));
  if (!isJsonObject(document.value))
    return refusal('A config file is a map of settings, such as `policies: /policies`.', whole);
  const keys = new Map<string, SettingKey>(settingEntries().map(([key]) => [key, key]));
  const values: GivenValue[] = [];
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(document.value)) {
    const key = keys.get(name);
    const origin = document.placeOf([name]);
    if (key === undefined) problems.push(unknownKey(name, origin, keys.keys()));
    else values.push({ key, form: { kind: 'json', value }, origin });
  }
  return { values, problems };
}

function refusal(message: string, place: Place): ConfigFileReading {
  return { values: [], problems: [{ code: 'invalid-value', severity: 'error', message, field: '', place }] };
}

function unknownKey(name: string, place: Place, keys: Iterable<string>): Problem {
  const meant = closest(name, keys);
  const message = `There is no setting ${JSON.stringify(name.slice(0, 80))}.${meant === undefined ? '' : ` Did you mean ${meant}?`}`;
  return { code: 'unknown-field', severity: 'error', message, field: name, place };
}
