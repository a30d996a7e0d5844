import { readFileSync } from 'node:fs';
import { isJsonObject, ownMember, type JsonValue } from '../core/json.ts';

/** How the service names itself to others. */
export const userAgent = `portcullis/${readVersion()}`;

/** The version of Portcullis, as in package.json, which lies beside both `src` and `dist`. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  // What JSON.parse answers is JSON.
  const parsed = JSON.parse(text) as JsonValue;
  const found = isJsonObject(parsed) ? ownMember(parsed, 'version') : undefined;
  return typeof found === 'string' ? found : 'unknown';
}
