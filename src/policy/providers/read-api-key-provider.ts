import type { ApiKeyShape } from '../document-shape.ts';
import type { FieldPath, ProblemList } from '../problem-list.ts';
import type { ApiKeyProviderSpec } from '../provider-spec.ts';
import type { ProviderHead } from './provider-head.ts';
import { readPlaces } from './read-places.ts';
import { readSelector } from './read-selector.ts';

const at: FieldPath = ['spec', 'apiKey'];

/** Reads `apiKey`. Where the list gets an error, what is returned is not to be used. */
export function readApiKeyProvider(
  { kind, namespace, name, materials }: ProviderHead,
  shape: ApiKeyShape,
  problems: ProblemList,
): ApiKeyProviderSpec {
  return {
    kind,
    type: 'APIKey',
    namespace,
    name,
    from: readPlaces(shape.from, [...at, 'from'], problems),
    secrets: readSelector(shape.secretSelector, materials, [...at, 'secretSelector'], problems),
  };
}
