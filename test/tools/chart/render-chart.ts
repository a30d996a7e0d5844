import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { renderCrds } from '../render-crds.ts';
import { readValues, renderValues } from './values-table.ts';

const chart = 'helm/portcullis';
const notice = '# Written by test/tools/generate-docs.ts out of src/policy/schema: change it there and run it again.';
const tableStart = '<!-- values: written by test/tools/generate-docs.ts out of values.yaml -->';
const tableEnd = '<!-- end of values -->';

/** What of the chart is generated, by path: the CRDs, a file each, and the README, whose table of values is made of values.yaml. */
export async function renderChart(): Promise<readonly (readonly [string, string])[]> {
  const page = await readFile(fileOf('README.md'), 'utf8');
  const values = await readFile(fileOf('values.yaml'), 'utf8');
  return [...splitCrds(renderCrds()), [`${chart}/README.md`, withTable(page, renderValues(readValues(values).values))]];
}

/** A file for each document, named after the plural of its kind. */
function splitCrds(text: string): [string, string][] {
  return text
    .split(/^---\n/mu)
    .map((document) => ({ document, plural: parseDocument(document).getIn(['spec', 'names', 'plural']) }))
    .filter(({ plural }) => plural !== undefined)
    .map(({ document, plural }) => [
      `${chart}/crds-generated/${String(plural)}.yaml`,
      `${notice}\n${document.trimEnd()}\n`,
    ]);
}

function withTable(page: string, table: string): string {
  const [before, rest] = page.split(tableStart);
  const after = rest?.split(tableEnd)[1];
  if (before === undefined || after === undefined) throw new Error(`${chart}/README.md has no place for the values`);
  return `${before}${tableStart}\n\n${table}\n\n${tableEnd}${after}`;
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`../../../${chart}/${name}`, import.meta.url));
}
