import { posix } from 'node:path';
import { isWithin, layerOf, type Layer } from './layer-table.ts';
import type { SourceFacts } from './scan-source.ts';

/** Every import that the table does not allow, as sentences with their places. */
export function judgeImports(files: readonly SourceFacts[], layers: readonly Layer[]): readonly string[] {
  return files.flatMap((file) => {
    const layer = layerOf(layers, file.path);
    if (layer === undefined) return [`${file.path}: its folder has no row in the table of layers`];
    return file.imports.flatMap(({ specifier, line }) => {
      const why = specifier === undefined ? 'it must be a literal' : whyNot(specifier, file.path, layer, layers);
      return why === undefined ? [] : [`${file.path}:${line}: imports ${specifier ?? 'a computed name'}: ${why}`];
    });
  });
}

/** The file below src that a relative import names. */
export function resolveImport(specifier: string, from: string): string {
  return posix.join(posix.dirname(from), specifier);
}

function whyNot(specifier: string, from: string, layer: Layer, layers: readonly Layer[]): string | undefined {
  if (!specifier.startsWith('.')) {
    if (layer.packages.includes(packageOf(specifier))) return undefined;
    if (specifier.startsWith('node:') && layer.packages.includes('node:*')) return undefined;
    return `${layer.folder} does not own ${packageOf(specifier)}`;
  }
  const target = resolveImport(specifier, from);
  if (target.startsWith('..')) return 'it leaves src';
  const targetLayer = layerOf(layers, target);
  if (targetLayer === undefined) return 'its folder has no row in the table of layers';
  if (isWithin(targetLayer.folder, layer.folder)) return undefined;
  if (layer.mayImport.some((folder) => isWithin(targetLayer.folder, folder))) return undefined;
  return `${layer.folder} may not import ${targetLayer.folder}`;
}

/** `@scope/name` or `name` out of `name/sub/path`; Node's own with their sub-path, `node:fs/promises`. */
function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
