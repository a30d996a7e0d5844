import type { RawHeader } from '../core/request.ts';

/** An entry of `headers` or of `header_map`, as far as it has been read. */
export interface HeaderEntry {
  key: string;
  value: string;
  isValueText: boolean;
  /** Empty where the entry has none: only a `header_map` that Envoy encodes raw does. */
  rawValue: string;
  isRawValueText: boolean;
}

export function emptyEntry(): HeaderEntry {
  return { key: '', value: '', isValueText: true, rawValue: '', isRawValueText: true };
}

/** What a new entry has before anything of it is read. */
export function clearEntry(entry: HeaderEntry): void {
  entry.key = '';
  entry.value = '';
  entry.isValueText = true;
  entry.rawValue = '';
  entry.isRawValueText = true;
}

/** The header field; undefined for what is none: pseudo headers, and what a client can only have forged. */
export function toHeader(entry: HeaderEntry): RawHeader | undefined {
  const name = entry.key.toLowerCase();
  if (name.startsWith(':') || name === 'x-envoy-auth-partial-body') return undefined;
  if (entry.rawValue === '') return { name, value: entry.value, isText: entry.isValueText };
  return { name, value: entry.rawValue, isText: entry.isRawValueText };
}
