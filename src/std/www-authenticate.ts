/** An auth-param (RFC 9110 11.2): its value may be any text, and is made safe. */
export type ChallengeParameter = readonly [name: string, value: string];

/** A `WWW-Authenticate` value (RFC 9110 11.6.1): the scheme, and every parameter as a quoted string that holds nothing to escape. */
export function formatChallenge(scheme: string, parameters: readonly ChallengeParameter[]): string {
  const name = scheme.replaceAll(/[^A-Za-z0-9._~+-]/g, '');
  const written = parameters.map(([key, value]) => `${key}="${toQuotable(value)}"`);
  return written.length === 0 ? name : `${name} ${written.join(', ')}`;
}

/** The text within RFC 6750 section 3's characters (%x20-21 / %x23-5B / %x5D-7E): a double quote becomes a single one, all else `?`. */
function toQuotable(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\x20-\x5b\x5d-\x7e]/gu, '?');
}
