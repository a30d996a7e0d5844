/** What may be touched only where the table says; everywhere else it comes through a port. */
export const effects = ['clock', 'timers', 'randomness', 'environment', 'fetch'] as const;
export type Effect = (typeof effects)[number];

/** One row of the table in docs/ARCHITECTURE.md. */
export interface Layer {
  /** Below src: `core`, `phases/identity`, or a file: `main.ts`. */
  readonly folder: string;
  readonly mayImport: readonly string[];
  /** npm and Node packages, `node:*` for all of Node's. */
  readonly packages: readonly string[];
  readonly effects: readonly Effect[];
}

const columns = ['folder', 'responsibility', 'may import', 'packages it owns', 'effects'];

/** Reads the table under the heading `Layers`. Throws where it is not there, a row has other columns, or a row names what does not exist. */
export function parseLayerTable(markdown: string): readonly Layer[] {
  const section = /^## Layers$([\s\S]*?)(?=^## |(?![\s\S]))/mu.exec(markdown)?.[1];
  const rows = (section ?? '')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map(cellsOf);
  const [header, , ...body] = rows;
  if (header?.join() !== columns.join())
    throw new Error(`The table of layers must have the columns ${columns.join(', ')}.`);
  const layers = body.map(toLayer);
  const folders = layers.map(({ folder }) => folder);
  for (const { folder, mayImport } of layers) {
    const strangers = mayImport.filter(
      (name) => !folders.some((known) => known === name || known.startsWith(`${name}/`)),
    );
    if (strangers.length > 0)
      throw new Error(`The row of ${folder} names folders without a row: ${strangers.join(', ')}.`);
  }
  return layers;
}

/** The row that holds the file or folder: its own, else the nearest above. */
export function layerOf(layers: readonly Layer[], path: string): Layer | undefined {
  return layers.filter(({ folder }) => isWithin(path, folder)).toSorted((a, b) => b.folder.length - a.folder.length)[0];
}

/** True for the folder itself and what is below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function cellsOf(line: string): readonly string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function toLayer(cells: readonly string[]): Layer {
  const [folder, , mayImport, packages, touched] = cells;
  if (folder === undefined || mayImport === undefined || packages === undefined || touched === undefined) {
    throw new Error(`A row of the table of layers has too few cells: ${cells.join(' | ')}`);
  }
  return { folder, mayImport: listOf(mayImport), packages: listOf(packages), effects: listOf(touched).map(toEffect) };
}

function listOf(cell: string): readonly string[] {
  return cell === '–' ? [] : cell.split(',').map((name) => name.trim());
}

function toEffect(name: string): Effect {
  const effect = effects.find((known) => known === name);
  if (effect === undefined) throw new Error(`The table of layers names an effect that does not exist: ${name}`);
  return effect;
}
