/** Longer texts are left to JSON.stringify: below, a loop is faster than the way there. Characters. */
const maxLoop = 128;

/**
 * The text as a JSON string (RFC 8259 section 7), with its quotes; what is no valid Unicode is escaped. The same as JSON.stringify gives,
 * sooner for a short text that needs no escapes.
 */
export function quote(text: string): string {
  if (text.length > maxLoop) return JSON.stringify(text);
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || c === 0x22 || c === 0x5c || c >= 0xd800) return JSON.stringify(text);
  }
  return `"${text}"`;
}

/** A member of an object behind others, with its comma; empty where there is no text. The name needs no escapes. */
export function member(name: string, text: string | undefined): string {
  return text === undefined ? '' : `,"${name}":${quote(text)}`;
}
