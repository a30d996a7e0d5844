import type { JsonValue } from '../../core/json.ts';
import { formatPlace } from './given-value.ts';
import type { ResolvedSetting } from './resolve-config.ts';
import { settingEntries } from './settings.ts';

/** What is in force, as a config file: each setting on a line, its origin behind it as a comment. Settings hold no secrets. */
export function printConfigYaml(resolved: readonly ResolvedSetting[]): string {
  const lines = shown(resolved).map(({ key, value, origin, absent }) => {
    // JSON is YAML 1.2, and never reads as another type than it was written as.
    const line = `${key}: ${JSON.stringify(value)} # ${origin}`;
    return absent ? `# ${line}` : line;
  });
  return `${lines.join('\n')}\n`;
}

/** `{"grpcAddress": {"value": "0.0.0.0:9001", "origin": "default"}}` */
export function printConfigJson(resolved: readonly ResolvedSetting[]): string {
  const members = shown(resolved).map(({ key, value, origin }) => [key, { value, origin }]);
  return `${JSON.stringify(Object.fromEntries(members), undefined, 2)}\n`;
}

interface ShownSetting {
  readonly key: string;
  readonly value: JsonValue;
  readonly origin: string;
  /** True where the value says that the setting was not given and could not be written so in a file. */
  readonly absent: boolean;
}

function shown(resolved: readonly ResolvedSetting[]): readonly ShownSetting[] {
  const rows = new Map(settingEntries());
  return resolved.flatMap(({ key, value, origin }) => {
    const setting = rows.get(key);
    if (setting === undefined) return [];
    const json = setting.type.toJson(value);
    const absent = 'expected' in setting.type.fromJson(json);
    return [{ key, value: json, origin: origin === undefined ? 'default' : formatPlace(origin), absent }];
  });
}
