/** An auth-param (RFC 9110 11.2): its value may be any text, and is made safe. */
export type ChallengeParameter = readonly [name: string, value: string];

/** A `WWW-Authenticate` value (RFC 9110 11.6.1): the scheme, and every parameter as a quoted string that holds nothing to escape. */
export function formatChallenge(scheme: string, parameters: readonly ChallengeParameter[]): string {
  const name = scheme.replaceAll(/[^A-Za-z0-9._~+-]/g, '');
  const written = parameters.map(([key, value]) => `${key}="${toQuotable(value)}"`);
  return written.length === 0 ? name : `${name} ${written.join(', ')}`;
}

/** No credential was presented: the challenge names no error (RFC 6750 3.1). */
export function missingChallenge(scheme: string, realm: string): string {
  return formatChallenge(scheme, [['realm', realm]]);
}

/** RFC 7617 section 2: the scheme has no parameter for an error, and says that names and passwords are UTF-8. */
export function basicChallenge(realm: string): string {
  return formatChallenge('Basic', [
    ['realm', realm],
    ['charset', 'UTF-8'],
  ]);
}

/** The credential cannot be used (RFC 6750 3.1 `invalid_token`). */
export function invalidTokenChallenge(scheme: string, realm: string, description: string): string {
  return errorChallenge(scheme, realm, 'invalid_token', description);
}

/** The request carries its credential in a way that cannot be read (RFC 6750 3.1 `invalid_request`). */
export function invalidRequestChallenge(scheme: string, realm: string, description: string): string {
  return errorChallenge(scheme, realm, 'invalid_request', description);
}

/** The credential is good and does not reach this far (RFC 6750 3.1 `insufficient_scope`); `scopes` are those that would. */
export function insufficientScopeChallenge(scheme: string, realm: string, scopes: readonly string[]): string {
  const parameters: ChallengeParameter[] = [
    ['realm', realm],
    ['error', 'insufficient_scope'],
  ];
  if (scopes.length > 0) parameters.push(['scope', scopes.join(' ')]);
  return formatChallenge(scheme, parameters);
}

function errorChallenge(scheme: string, realm: string, error: string, description: string): string {
  return formatChallenge(scheme, [
    ['realm', realm],
    ['error', error],
    ['error_description', description],
  ]);
}

/** The text within RFC 6750 section 3's characters (%x20-21 / %x23-5B / %x5D-7E): a double quote becomes a single one, all else `?`. */
function toQuotable(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\x20-\x5b\x5d-\x7e]/gu, '?');
}
