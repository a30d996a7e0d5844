import type { Problem } from '../core/problem.ts';
import { refusedSecrets } from '../engine/refused-secrets.ts';
import type { ParsedDocument } from '../policy/parse-document.ts';
import type { IdentityProviderSpec } from '../policy/provider-spec.ts';
import { needsOf, selectMaterials } from '../policy/providers/provider-material.ts';
import { partOfType } from '../policy/providers/read-provider.ts';
import type { Material } from '../policy/read-material.ts';
import { specKey } from '../policy/spec-name.ts';
import type { AuthorDocument } from '../policy/spec.ts';

/** What a document says of what it refers to: warnings of a provider, each at its place; none for documents of other kinds. */
export function warnOfReferences(
  document: AuthorDocument,
  parsed: ParsedDocument,
  materials: ReadonlyMap<string, Material>,
  unusable: ReadonlyMap<string, string>,
  documentOf: (secret: Material) => AuthorDocument | undefined,
): readonly Problem[] {
  const spec = providerOf(parsed);
  if (spec === undefined) return [];
  const part = partOfType[spec.type];
  const problem = (code: Problem['code'], at: readonly string[], message: string): Problem => ({
    code,
    severity: 'warning',
    message,
    field: ['spec', part, ...at].join('.'),
    place: document.placeOf(['spec', part, ...at]),
  });
  const missing = missingMaterials(spec, materials);
  // Of what is not there nothing else is to be told.
  const why = missing.length > 0 || needsOf(spec).selector !== undefined ? undefined : unusable.get(specKey(spec));
  const { alone, together } = refusedSecrets(spec, materials.values());
  const idle = idleSelector(spec, [...materials.values()]);
  return [
    ...missing.map((message) => problem('missing-reference', [], message)),
    ...(why === undefined ? [] : [problem('unusable-reference', [], why)]),
    ...alone.flatMap(({ secret, why }) => refusedAlone(spec, secret, why, documentOf)),
    ...(together === undefined
      ? []
      : [problem('secret-refused', ['secretSelector'], `what its selector takes cannot all be used: ${together}`)]),
    ...(idle === undefined ? [] : [problem('missing-reference', ['secretSelector'], idle)]),
  ];
}

/** At the Secret, which is what has to be mended. One that no provider could use has its mistakes told already. */
function refusedAlone(
  spec: IdentityProviderSpec,
  secret: Material,
  why: string,
  documentOf: (secret: Material) => AuthorDocument | undefined,
): readonly Problem[] {
  const document = documentOf(secret);
  if (secret.refused !== undefined || document === undefined) return [];
  const message = `the ${specKey(spec)} cannot use it: ${why}`;
  const place = document.placeOf(['metadata', 'name']);
  return [{ code: 'secret-refused', severity: 'warning', message, field: 'metadata.name', place }];
}

function providerOf(parsed: ParsedDocument): IdentityProviderSpec | undefined {
  if (parsed.kind !== 'accepted') return undefined;
  const { spec } = parsed;
  return spec.kind === 'AccessPolicy' || spec.kind === 'ClusterAccessPolicy' ? undefined : spec;
}

/** A Secret or ConfigMap may come from elsewhere. */
function missingMaterials(spec: IdentityProviderSpec, materials: ReadonlyMap<string, Material>): readonly string[] {
  const missing = new Map(needsOf(spec).keys.map((ref) => [specKey(ref), ref]));
  const isAuthorization = (key: string): boolean => spec.type === 'JWT' && key.startsWith('Secret ');
  return [...missing].flatMap(([key, ref]) => {
    if (materials.has(key)) return [];
    const until = isAuthorization(key)
      ? 'deliveries of events to this provider are turned away with 503'
      : 'credentials of this provider are denied with 503';
    return [`the ${ref.kind} ${ref.namespace}/${ref.name} is not among the documents: until it is there, ${until}`];
  });
}

/** A selector that takes nothing, and what is nearest to what it may have meant. */
function idleSelector(spec: IdentityProviderSpec, materials: readonly Material[]): string | undefined {
  const { selector } = needsOf(spec);
  if (selector === undefined) return undefined;
  const secrets = materials.filter(({ kind }) => kind === 'Secret');
  const own = secrets.filter(({ namespace }) => namespace === selector.namespace);
  if (selectMaterials(own, selector).length > 0) return undefined;
  const [elsewhere] = selectMaterials(secrets, selector);
  // Who keeps no Secrets beside the documents has them elsewhere.
  if (own.length === 0 && elsewhere === undefined) return undefined;
  const wanted = selector.labels.map(([name, value]) => `${name}: "${value}"`).join(', ');
  const hint =
    elsewhere === undefined
      ? ''
      : `; the Secret ${elsewhere.namespace}/${elsewhere.name} has them, and a provider takes those of the namespace ${selector.namespace} alone`;
  return `the selector takes none of the ${own.length} Secrets of the namespace ${selector.namespace} among the documents, and lets nobody in until one has the labels ${wanted}${hint}`;
}
