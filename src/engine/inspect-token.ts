import type { TokenCheck } from '../core/token-inspection.ts';
import { inspectToken, type TokenParts } from '../phases/identity/jwt/inspect-token.ts';
import type { IdentityProviderSpec, JwtProviderSpec } from '../policy/provider-spec.ts';
import { specKey } from '../policy/spec-name.ts';
import type { SourceReading } from '../policy/spec.ts';
import { parseDocument } from '../policy/parse-document.ts';
import { providersOf, readCatalog as readWhole, type Catalog } from './catalog.ts';

export { readTokenParts, type TokenParts } from '../phases/identity/jwt/inspect-token.ts';

/** The documents of a reading, for tools: nobody asks the operator for hosts. */
export function readCatalog(reading: SourceReading, serviceNamespace: string): Catalog {
  const parse = (document: Parameters<typeof parseDocument>[0]): ReturnType<typeof parseDocument> =>
    parseDocument(document, { serviceNamespace });
  return readWhole(reading, { grants: 'unknown', parse });
}

/** The providers in force by key: `IdentityProvider shop/okta`. */
export function catalogProviders(catalog: Catalog): ReadonlyMap<string, IdentityProviderSpec> {
  return providersOf(catalog.entries.values());
}

/** Every check that the provider would make; keys are those given, else those of the documents, else none. */
export function judgeToken(
  spec: JwtProviderSpec,
  token: { readonly text: string; readonly parts: TokenParts; readonly now: number; readonly jwks: string | undefined },
  { materials }: Catalog,
): Promise<readonly TokenCheck[]> {
  const { text, parts, now, jwks } = token;
  return inspectToken(spec, { text, parts, now, keys: jwks ?? keysOf(spec, materials) });
}

function keysOf({ keys }: JwtProviderSpec, materials: Catalog['materials']): string | undefined {
  switch (keys.type) {
    case 'Inline':
      return keys.json;
    case 'ConfigMap':
      return materials.get(specKey({ kind: 'ConfigMap', ...keys.ref }))?.data.get(keys.ref.key);
    case 'URI':
    case 'Discovery':
      return undefined;
  }
}
