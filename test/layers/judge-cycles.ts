import { resolveImport } from './judge-imports.ts';
import type { SourceFacts } from './scan-source.ts';

/** Every cycle of files that import one another (types too), each told once: `a.ts → b.ts → a.ts`. */
export function judgeCycles(files: readonly SourceFacts[]): readonly string[] {
  const imports = new Map(files.map((file) => [file.path, targetsOf(file)]));
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    const at = way.indexOf(path);
    if (at >= 0) cycles.push([...way.slice(at), path].join(' → '));
    if (at >= 0 || done.has(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return cycles;
}

function targetsOf(file: SourceFacts): readonly string[] {
  return file.imports.flatMap(({ specifier }) =>
    specifier?.startsWith('.') === true ? [resolveImport(specifier, file.path)] : [],
  );
}
