import { join } from 'node:path';

/** What rolldown knows of the modules, as far as it is asked. */
export interface ModuleGraph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

/**
 * What is loaded at once, below the root: by every command, by `serve`, by it for what it serves, and by each of its threads. Node takes a third of a
 * millisecond for each file, and left to itself rolldown makes 75 files of what `serve` loads.
 */
export const programs: Readonly<Record<string, readonly string[]>> = {
  command: ['src/cli/run-cli.ts', 'src/cli/system-cli-io.ts', 'src/runtime/system-ports.ts'],
  settings: ['src/cli/commands/serve.ts'],
  service: [
    'src/runtime/create-single.ts',
    'src/runtime/serve.ts',
    'src/runtime/service.ts',
    'src/runtime/system-service-io.ts',
    'src/runtime/version.ts',
    'src/stores/memory-shared-list.ts',
  ],
  documents: ['src/files/document-worker.ts'],
  passwords: ['src/passwords/password-worker.ts'],
};

/**
 * Says in which file a module belongs: with those that the same programs need, so that none of them loads what it does not need. Undefined
 * where none needs it.
 */
export function compilePartOf(root: string): (id: string, graph: ModuleGraph) => string | undefined {
  let needed: readonly (readonly [name: string, modules: ReadonlySet<string>])[] | undefined;
  return (id, graph) => {
    needed ??= Object.entries(programs).map(([name, entries]) => [name, reachedFrom(entries, root, graph)]);
    const names = needed.flatMap(([name, modules]) => (modules.has(id) ? [name] : []));
    return names.length === 0 ? undefined : names.join('-');
  };
}

/** All that these modules import, and what that does; what is imported while the program runs is not part of it. Throws where there is none of an entry. */
function reachedFrom(entries: readonly string[], root: string, graph: ModuleGraph): ReadonlySet<string> {
  const reached = new Set(entries.map((entry) => join(root, entry)));
  for (const entry of reached) if (graph.getModuleInfo(entry) === null) throw new Error(`the bundle has no ${entry}`);
  for (const id of reached) for (const imported of graph.getModuleInfo(id)?.importedIds ?? []) reached.add(imported);
  return reached;
}
