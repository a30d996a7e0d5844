import { Failure } from '../core/failure.ts';
import { ownMember } from '../core/json.ts';
import { parseDocument } from '../policy/parse-document.ts';
import {
  isClaimsProvider,
  type ClaimsProviderSpec,
  type IdentityProviderSpec,
  type SharedSecretJwtProviderSpec,
} from '../policy/provider-spec.ts';
import type { Material } from '../policy/read-material.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import type { PolicyTest } from './policy-test.ts';
import type { AccountTokens } from './granted-access.ts';
import { compileSecretOf } from './shared-secrets.ts';
import type { IssuerSpec, TokenMint } from './token-mint.ts';

/** What of the policies an issuer of a test can stand in for. */
export interface Issuable {
  readonly providers: readonly IssuableSpec[];
  readonly materials: readonly Material[];
}

type IssuableSpec = ClaimsProviderSpec | SharedSecretJwtProviderSpec;

/** Out of the documents that are accepted. */
export function readIssuable(documents: readonly AuthorDocument[], serviceNamespace: string): Issuable {
  const parsed = documents.map((document) => parseDocument(document, { serviceNamespace }));
  const isIssuable = (spec: IdentityProviderSpec): spec is IssuableSpec =>
    isClaimsProvider(spec) || spec.type === 'SharedSecretJWT';
  return {
    providers: parsed.flatMap((one) =>
      one.kind === 'accepted' && 'type' in one.spec && isIssuable(one.spec) ? [one.spec] : [],
    ),
    materials: parsed.flatMap((one) => (one.kind === 'material' ? [one.material] : [])),
  };
}

/** The issuers of a test, each as the provider that it stands in for. Throws a Failure: `issuer_unknown`, `issuer_without_alg`. */
export function issuersOf(issuers: PolicyTest['issuers'], { providers, materials }: Issuable): readonly IssuerSpec[] {
  return Object.entries(issuers).map(([name, { alg }]) => {
    const spec = providers.find((provider) => provider.name === name);
    if (spec === undefined)
      throw new Failure(
        'issuer_unknown',
        `the issuer ${name} stands in for no provider: none of the policies is named so, or it is of a type whose credentials are written as headers`,
      );
    if (alg !== undefined && (spec.type === 'Introspection' || spec.type === 'SharedSecretJWT'))
      throw new Failure('issuer_without_alg', `the issuer ${name} has no key of its own, and takes no alg`);
    return toIssuer(name, spec, alg ?? 'RS256', materials);
  });
}

function toIssuer(name: string, spec: IssuableSpec, alg: string, materials: readonly Material[]): IssuerSpec {
  switch (spec.type) {
    case 'JWT':
      return { name, form: 'signed', alg, iss: spec.issuer, aud: spec.audiences[0] };
    case 'ServiceAccount':
      return { name, form: 'reviewed', alg, iss: undefined, aud: spec.audiences[0] };
    case 'Introspection':
      return { name, form: 'opaque', iss: spec.issuer, aud: spec.audiences[0] };
    case 'SharedSecretJWT': {
      const secretOf = compileSecretOf(spec, materials);
      return { name, form: 'shared', alg: spec.algorithms[0] ?? 'HS256', secretOf, iss: undefined, aud: undefined };
    }
  }
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
