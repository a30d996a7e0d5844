import { Failure } from '../core/failure.ts';
import { ownMember } from '../core/json.ts';
import { parseDocument } from '../policy/parse-document.ts';
import { isClaimsProvider, type ClaimsProviderSpec } from '../policy/provider-spec.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import type { PolicyTest } from './policy-test.ts';
import type { AccountTokens } from './granted-access.ts';
import type { IssuerSpec, TokenMint } from './token-mint.ts';

/** The providers of the documents, where these are accepted, whose tokens a test can make up. */
export function readClaimsProviders(
  documents: readonly AuthorDocument[],
  serviceNamespace: string,
): readonly ClaimsProviderSpec[] {
  return documents.flatMap((document) => {
    const parsed = parseDocument(document, { serviceNamespace });
    return parsed.kind === 'accepted' && 'type' in parsed.spec && isClaimsProvider(parsed.spec) ? [parsed.spec] : [];
  });
}

/** The issuers of a test, each as the provider that it stands in for. Throws a Failure: `issuer_unknown`, `issuer_signs_nothing`. */
export function issuersOf(
  issuers: PolicyTest['issuers'],
  providers: readonly ClaimsProviderSpec[],
): readonly IssuerSpec[] {
  return Object.entries(issuers).map(([name, { alg }]) => {
    const spec = providers.find((provider) => provider.name === name);
    if (spec === undefined)
      throw new Failure(
        'issuer_unknown',
        `the issuer ${name} stands in for no provider: none of the policies is named so, or it is of a type whose credentials are written as headers`,
      );
    const aud = spec.audiences[0] ?? '';
    switch (spec.type) {
      case 'JWT':
        return { name, form: 'signed', alg: alg ?? 'RS256', iss: spec.issuer, aud };
      case 'ServiceAccount':
        return { name, form: 'reviewed', alg: alg ?? 'RS256', iss: undefined, aud };
      case 'Introspection':
        if (alg !== undefined)
          throw new Failure('issuer_signs_nothing', `the issuer ${name} is asked about its tokens: it has no alg`);
        return { name, form: 'opaque', iss: spec.issuer, aud };
    }
  });
}

/** What the API server says of tokens at that time (milliseconds); undefined where no issuer stands in for it. */
export function accountTokensOf(
  issuers: readonly IssuerSpec[],
  mint: TokenMint,
  nowMs: number,
): AccountTokens | undefined {
  const reviewed = issuers.filter(({ form }) => form === 'reviewed');
  if (reviewed.length === 0) return undefined;
  return (token) => {
    const claims = reviewed.map(({ name }) => mint.vouch(name, token)).find((found) => found !== undefined);
    const exp = claims && ownMember(claims, 'exp');
    return typeof exp === 'number' && exp * 1000 <= nowMs ? undefined : claims;
  };
}
