import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { judgeCycles } from './judge-cycles.ts';
import { judgeEffects } from './judge-effects.ts';
import { judgeImports } from './judge-imports.ts';
import { judgeSizes } from './judge-sizes.ts';
import { parseLayerTable } from './layer-table.ts';
import { countPlaces, ratchets } from './ratchets.ts';
import { scanSource } from './scan-source.ts';
import { readSourceFiles } from './source-file.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const layers = parseLayerTable(readFileSync(`${root}docs/ARCHITECTURE.md`, 'utf8'));
const files = readSourceFiles(`${root}src`).map(scanSource);

describe('the layers of src', () => {
  it('are all there, and so are the files', () => {
    const empty = layers.filter(
      ({ folder }) => !files.some(({ path }) => path === folder || path.startsWith(`${folder}/`)),
    );
    expect(empty.map(({ folder }) => folder)).toEqual([]);
  });

  it('import only what the table of docs/ARCHITECTURE.md allows', () => {
    expect(judgeImports(files, layers)).toEqual([]);
  });

  it('have no files that import one another in a circle', () => {
    expect(judgeCycles(files)).toEqual([]);
  });

  it('touch the clock, timers, randomness and the environment only where the table says', () => {
    expect(judgeEffects(files, layers)).toEqual([]);
  });

  it('have no file and no function that wants splitting', () => {
    expect(judgeSizes(files)).toEqual([]);
  });
});

describe('the ratchets of src', () => {
  const places = countPlaces(files);

  for (const name of ['any', 'assertions', 'suppressions'] as const) {
    it(`hold for ${name}: at most ${ratchets[name]}`, () => {
      // The places are the message: where there are too many, one of these has to go.
      expect(places[name].length > ratchets[name] ? places[name] : []).toEqual([]);
    });
  }
});
