import { checkClaimName } from '../claim-name.ts';
import type { SharedSecretJwtShape } from '../document-shape.ts';
import type { FieldPath, ProblemList } from '../problem-list.ts';
import type { SharedSecretJwtProviderSpec } from '../provider-spec.ts';
import type { ProviderHead } from './provider-head.ts';
import { bearer } from './read-places.ts';
import { readSelector } from './read-selector.ts';

const at: FieldPath = ['spec', 'sharedSecretJwt'];

/** Reads `sharedSecretJwt`. Where the list gets an error, what is returned is not to be used. */
export function readSharedSecretJwtProvider(
  { kind, namespace, name, materials }: ProviderHead,
  shape: SharedSecretJwtShape,
  problems: ProblemList,
): SharedSecretJwtProviderSpec {
  return {
    kind,
    type: 'SharedSecretJWT',
    namespace,
    name,
    keyClaim: readKeyClaim(shape.keyClaim ?? 'iss', problems),
    secrets: readSelector(shape.secretSelector, materials, [...at, 'secretSelector'], problems),
    secretEncoding: shape.secretEncoding ?? 'Plain',
    algorithms: shape.algorithms ?? ['HS256'],
    verifyNotBefore: shape.verifyClaims?.includes('nbf') ?? true,
    from: [bearer],
  };
}

/** `header:kid`, or the name of a claim. */
function readKeyClaim(text: string, problems: ProblemList): SharedSecretJwtProviderSpec['keyClaim'] {
  if (text === 'header:kid') return { in: 'header', name: 'kid' };
  if (text.startsWith('header:'))
    problems.error(
      'invalid-value',
      [...at, 'keyClaim'],
      'of the header only kid can name the consumer: write header:kid',
    );
  checkClaimName(text, [...at, 'keyClaim'], problems);
  return { in: 'claim', name: text };
}
