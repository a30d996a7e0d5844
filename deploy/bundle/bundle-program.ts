import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { compilePartOf } from './parts-of-program.ts';

/** The program as files of JavaScript, without a package around it. */
export interface BundledProgram {
  readonly files: readonly BundledFile[];
  /** Every module that is in it, sorted: paths, and rolldown's own runtime. */
  readonly modules: readonly string[];
}

export interface BundledFile {
  /** Below the folder of the program; what is not the entry is loaded as it is needed. */
  readonly name: string;
  readonly text: string;
}

/** The file that is run. */
export const programEntry = 'portcullis.js';

/** What rolldown calls the few lines of its own that it adds. */
export const rolldownRuntime = '\0rolldown/runtime.js';

/**
 * Packages of which only what is used is taken, though they do not say that loading them does nothing: the Kubernetes client is
 * generated code for every kind there is, of which we read a kubeconfig.
 */
const takenInParts = /\/node_modules\/@kubernetes\/client-node\//u;

/** Bundles `src/main.ts`. Nothing is renamed or squeezed, so that a stack trace can be read without a source map. */
export async function bundleProgram(root: string): Promise<BundledProgram> {
  const bundle = await rolldown({
    cwd: root,
    input: {
      portcullis: join(root, 'src/main.ts'),
      // The programs of threads, found by their names beside whoever starts them.
      'document-worker': join(root, 'src/files/document-worker.ts'),
      'password-worker': join(root, 'src/passwords/password-worker.ts'),
      // The program of worker processes, likewise.
      'worker-program': join(root, 'src/runtime/workers/worker-program.ts'),
    },
    platform: 'node',
    tsconfig: join(root, 'tsconfig.json'),
    // A checkout whose node_modules is a link gives the same bytes.
    resolve: { symlinks: false },
    // A file may hold what several programs need.
    preserveEntrySignatures: 'allow-extension',
    treeshake: { moduleSideEffects: (id) => !takenInParts.test(id) },
    logLevel: 'warn',
    onLog: (_level, log) => {
      throw new Error(`the bundle is not what it should be: ${log.message}`);
    },
  });
  const partOf = compilePartOf(root);
  const { output } = await bundle.generate({
    format: 'esm',
    sourcemap: false,
    // One character beyond Latin-1 makes V8 keep a whole file with two bytes a character. Comments, which are kept as they are, hold some.
    charset: 'ascii',
    comments: false,
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ debugName: 'parts', name: (id, graph) => partOf(id, graph) }],
    },
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
  });
  await bundle.close();
  const chunks = output.flatMap((file) => (file.type === 'chunk' ? [file] : []));
  assertOnlyNode(
    chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]),
    new Set(chunks.map(({ fileName }) => fileName)),
  );
  return {
    files: chunks.map(({ fileName, code }) => ({ name: fileName, text: code })),
    modules: [...new Set(chunks.flatMap(({ modules }) => Object.keys(modules)))].toSorted(),
  };
}

/** What packages ask for in functions that we do not call, and do without: @redis/client for digests of values. */
const neverLoaded: ReadonlySet<string> = new Set(['@node-rs/xxhash']);

function assertOnlyNode(imports: readonly string[], files: ReadonlySet<string>): void {
  const others = imports.filter((name) => !files.has(name) && !isBuiltin(name) && !neverLoaded.has(name));
  if (others.length > 0) throw new Error(`the bundle would load from outside: ${others.join(', ')}`);
}
