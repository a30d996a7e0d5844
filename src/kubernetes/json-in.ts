import type { JsonValue } from '../core/json.ts';
import { textIn, type Span } from '../std/json-spans.ts';

/** The value there. Throws a SyntaxError where it is not well-formed. */
export function jsonIn(bytes: Uint8Array, span: Span): JsonValue {
  const value: JsonValue = JSON.parse(textIn(bytes, span));
  return value;
}
