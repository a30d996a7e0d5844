import { isJsonObject } from '../core/json.ts';
import type { Problem } from '../core/problem.ts';
import type { ParsedDocument } from '../policy/parse-document.ts';
import { needsOf, selectMaterials } from '../policy/providers/provider-material.ts';
import type { Material } from '../policy/read-material.ts';
import { specKey } from '../policy/spec-name.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { maxClientBytes, maxDocumentBytes, maxValues, writtenSize } from '../policy/written-size.ts';

/**
 * What a folder may hold and a cluster refuses for its size: a warning at a policy or provider that is too large, and of a provider at the Secrets
 * that it selects.
 */
export function warnOfSizes(
  document: AuthorDocument,
  parsed: ParsedDocument,
  materials: Iterable<Material>,
  documentOf: (secret: Material) => AuthorDocument | undefined,
): readonly Problem[] {
  if (parsed.kind !== 'accepted') return [];
  const own = isLarger(document, maxDocumentBytes, false)
    ? [
        problemAt(
          document,
          'too-large',
          '',
          `in a cluster the document is refused: it is larger than ${maxDocumentBytes / 1024} KiB, or holds more than ${maxValues} values`,
        ),
      ]
    : [];
  const { spec } = parsed;
  if (spec.kind === 'AccessPolicy' || spec.kind === 'ClusterAccessPolicy') return own;
  const { selector } = needsOf(spec);
  if (selector === undefined) return own;
  const inNamespace = [...materials].filter(({ namespace }) => namespace === selector.namespace);
  const secrets = selectMaterials(inNamespace, selector).flatMap((secret) => documentOf(secret) ?? []);
  const message = `in a cluster the ${specKey(spec)} cannot use it: it is larger than ${maxClientBytes / 1024} KiB`;
  const large = secrets.filter((secret) => isLarger(secret, maxClientBytes, true));
  return [...own, ...large.map((secret) => problemAt(secret, 'secret-refused', 'metadata.name', message))];
}

function isLarger({ value }: AuthorDocument, maxBytes: number, isClient: boolean): boolean {
  if (!isJsonObject(value)) return false;
  const size = writtenSize(value, isClient);
  return size.bytes > maxBytes || size.values > maxValues;
}

function problemAt(document: AuthorDocument, code: Problem['code'], field: string, message: string): Problem {
  const place = document.placeOf(field === '' ? [] : field.split('.'));
  return { code, severity: 'warning', message, field, place };
}
