import { compileClaimPath } from '../core/claim-path.ts';
import { ownMember, type JsonObject } from '../core/json.ts';
import { selectMaterials } from '../policy/providers/provider-material.ts';
import type { SharedSecretJwtProviderSpec } from '../policy/provider-spec.ts';
import type { Material } from '../policy/read-material.ts';

/** The secret of the consumer that a token names; undefined where no Secret of the documents is that consumer. */
export type SecretOfToken = (header: JsonObject, claims: JsonObject) => Uint8Array | undefined;

/** Finds secrets as the provider does: by the name that `keyClaim` of a token says. */
export function compileSecretOf(spec: SharedSecretJwtProviderSpec, materials: readonly Material[]): SecretOfToken {
  const inReach = materials.filter(({ kind, namespace }) => kind === 'Secret' && namespace === spec.secrets.namespace);
  const secrets = new Map<unknown, Uint8Array>();
  for (const { data } of selectMaterials(inReach, spec.secrets)) {
    const [name, secret] = [data.get('key'), data.get('secret')];
    if (name === undefined || secret === undefined) continue;
    secrets.set(name, Buffer.from(secret, spec.secretEncoding === 'Base64' ? 'base64' : 'utf8'));
  }
  const { in: part, name } = spec.keyClaim;
  const read = compileClaimPath(name);
  return (header, claims) => secrets.get(part === 'header' ? ownMember(header, name) : read(claims));
}
