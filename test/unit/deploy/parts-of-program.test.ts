import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compilePartOf, programs, type ModuleGraph } from '../../../deploy/bundle/parts-of-program.ts';

/** Modules of `/root`, which all have the entries, and what they import. */
function graphOf(imports: Readonly<Record<string, readonly string[]>>): ModuleGraph {
  const importsOf = (id: string): readonly string[] => imports[id.slice('/root/'.length)] ?? [];
  return { getModuleInfo: (id) => ({ importedIds: importsOf(id).map((name) => `/root/${name}`) }) };
}

describe('the parts of the program', () => {
  it('hold what the same programs need, and nothing that none of them needs at its start', () => {
    const graph = graphOf({
      'src/cli/run-cli.ts': ['src/core/failure.ts'],
      'src/runtime/service.ts': ['src/core/failure.ts', 'src/engine/engine.ts'],
      'src/runtime/create-single.ts': ['src/engine/engine.ts'],
      'src/engine/engine.ts': ['src/policy/schema.ts', 'src/engine/engine.ts'],
      'src/files/document-worker.ts': ['src/policy/schema.ts'],
    });
    const partOf = compilePartOf('/root');
    const parts = ['cli/run-cli', 'core/failure', 'engine/engine', 'policy/schema', 'files/document-worker', 'dev/dev'];
    expect(parts.map((name) => partOf(`/root/src/${name}.ts`, graph))).toEqual([
      'command',
      'command-service',
      'service',
      'service-documents',
      'documents',
      undefined,
    ]);
  });

  it('begin with modules that are there', () => {
    expect(
      Object.values(programs)
        .flat()
        .filter((path) => !existsSync(path)),
    ).toEqual([]);
    const partOf = compilePartOf('/root');
    expect(() => partOf('/root/a.ts', { getModuleInfo: () => null })).toThrow('the bundle has no /root/src/');
  });
});
