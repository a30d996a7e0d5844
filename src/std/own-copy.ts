/**
 * The same text in memory of its own. A text that was cut out of a longer one (a message) keeps the longer one in memory; what outlives
 * its message is therefore copied. Exact for every text, lone surrogates included.
 */
export function ownCopy(text: string): string {
  const encoding = latin1.test(text) ? 'latin1' : 'utf16le';
  return Buffer.from(text, encoding).toString(encoding);
}

// oxlint-disable-next-line no-control-regex -- the range begins with the first character that there is
const latin1 = /^[\u0000-\u00ff]*$/;
