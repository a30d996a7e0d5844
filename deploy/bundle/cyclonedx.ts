import type { JsonObject } from '../../src/core/json.ts';
import type { BundledPackage } from './bundled-package.ts';

/** The program that the list is of. */
export interface ProgramAbout {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly licence: string;
}

/**
 * What is in the bundle, as CycloneDX 1.6. It has neither a time nor a serial number: of the same sources come the same bytes.
 * The hash is that of the package as npm fetched it, from package-lock.json.
 */
export function cyclonedx(about: ProgramAbout, packages: readonly BundledPackage[]): JsonObject {
  const reference = purlOf(about.name, about.version);
  const references = new Map(packages.map(({ key, name, version }) => [key, purlOf(name, version)]));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': reference,
        name: about.name,
        version: about.version,
        description: about.description,
        licenses: [{ license: { id: about.licence } }],
        purl: reference,
      },
    },
    components: packages.map(toComponent),
    dependencies: [
      { ref: reference, dependsOn: [...references.values()] },
      ...packages.map(({ key, dependencies }) => ({
        ref: references.get(key) ?? '',
        dependsOn: dependencies.map((dependency) => references.get(dependency) ?? ''),
      })),
    ],
  };
}

function toComponent({ name, version, licence, integrity }: BundledPackage): JsonObject {
  const purl = purlOf(name, version);
  const slash = name.indexOf('/');
  return {
    type: 'library',
    'bom-ref': purl,
    ...(slash > 0 && { group: name.slice(0, slash) }),
    name: name.slice(slash + 1),
    version,
    hashes: [{ alg: 'SHA-512', content: sha512Of(name, integrity) }],
    licenses: [{ license: { id: licence } }],
    purl,
  };
}

/** https://github.com/package-url/purl-spec: the `@` of a scope is encoded. */
function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function sha512Of(name: string, integrity: string): string {
  const [algorithm, digest] = integrity.split('-');
  if (algorithm !== 'sha512' || digest === undefined) throw new Error(`package-lock.json has no SHA-512 of ${name}`);
  return Buffer.from(digest, 'base64').toString('hex');
}
