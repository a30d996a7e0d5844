import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { readValues, renderValues } from './chart/values-table.ts';

/**
 * Writes what of helm/portcullis is generated: the CRDs, a file each, out of deploy/crds.yaml, and the table of values in the README out
 * of values.yaml. With `--check` it only tells whether the files are what it would write, and exits with 1 where one is not.
 */
const chart = 'helm/portcullis';
const crdFolder = `${chart}/crds-generated`;
const notice = '# Written by test/tools/generate-chart.ts out of deploy/crds.yaml.';
const tableStart = '<!-- values: written by test/tools/generate-chart.ts out of values.yaml -->';
const tableEnd = '<!-- end of values -->';

/** The generated files by their path in the repository. */
export async function generateChart(): Promise<ReadonlyMap<string, string>> {
  const readme = `${chart}/README.md`;
  const table = renderValues(readValues(await read(`${chart}/values.yaml`)).values);
  return new Map([...splitCrds(await read('deploy/crds.yaml')), [readme, withTable(await read(readme), table)]]);
}

/** The paths of generated files that are not what would be written, or that nothing writes any more. */
export async function staleChart(): Promise<readonly string[]> {
  const generated = await generateChart();
  const stale: string[] = [];
  for (const [path, text] of generated) {
    if ((await read(path).catch(() => undefined)) !== text) stale.push(path);
  }
  const there = await readdir(fileOf(crdFolder)).catch(() => []);
  return [...stale, ...there.map((name) => `${crdFolder}/${name}`).filter((path) => !generated.has(path))];
}

/** A file for each document, named after the plural of its kind. */
function splitCrds(text: string): [string, string][] {
  return text
    .split(/^---\n/mu)
    .map((document) => ({ document, plural: parseDocument(document).getIn(['spec', 'names', 'plural']) }))
    .filter(({ plural }) => plural !== undefined)
    .map(({ document, plural }) => [`${crdFolder}/${String(plural)}.yaml`, `${notice}\n${document.trimEnd()}\n`]);
}

function withTable(page: string, table: string): string {
  const [before, rest] = page.split(tableStart);
  const after = rest?.split(tableEnd)[1];
  if (before === undefined || after === undefined) throw new Error(`${chart}/README.md has no place for the values`);
  return `${before}${tableStart}\n\n${table}\n\n${tableEnd}${after}`;
}

function read(path: string): Promise<string> {
  return readFile(fileOf(path), 'utf8');
}

function fileOf(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

if (import.meta.main) {
  const isCheck = process.argv.includes('--check');
  const stale = await staleChart();
  if (!isCheck) {
    const generated = await generateChart();
    await mkdir(fileOf(crdFolder), { recursive: true });
    for (const [path, text] of generated) await writeFile(fileOf(path), text);
    for (const path of stale) if (!generated.has(path)) await rm(fileOf(path));
  }
  for (const path of stale) process.stdout.write(isCheck ? `${path} is not what it is made of\n` : `${path} written\n`);
  process.exitCode = isCheck && stale.length > 0 ? 1 : 0;
}
