/**
 * The same text in memory of its own. A text that was cut out of a longer one (a message) keeps the longer one in memory; what outlives
 * its message is therefore copied. Exact for every text, lone surrogates included.
 */
export function ownCopy(text: string): string {
  const narrow = Buffer.from(text, 'latin1').toString('latin1');
  return narrow === text ? narrow : Buffer.from(text, 'utf16le').toString('utf16le');
}
