import type { JsonValue } from '../../core/json.ts';
import type { Place } from '../../core/problem.ts';
import type { SettingKey } from './settings.ts';

/** A setting as someone gave it, not yet checked. */
export interface GivenValue {
  readonly key: SettingKey;
  readonly form:
    | { readonly kind: 'texts'; readonly texts: readonly string[] }
    | { readonly kind: 'json'; readonly value: JsonValue };
  /** Who says so: `--grpc-address`, `PORTCULLIS_GRPC_ADDRESS`, `config.yaml:3:1`. */
  readonly origin: Place;
}

/** The place of a flag or a variable. */
export function namedPlace(source: string): Place {
  return { source, line: undefined, column: undefined };
}

/** `--grpc-address` or `config.yaml:3:1`. */
export function formatPlace(place: Place): string {
  return place.line === undefined ? place.source : `${place.source}:${place.line}:${place.column ?? 1}`;
}
