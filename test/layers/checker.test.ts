import { describe, expect, it } from 'vitest';
import { judgeCycles } from './judge-cycles.ts';
import { judgeEffects } from './judge-effects.ts';
import { judgeImports } from './judge-imports.ts';
import { judgeSizes } from './judge-sizes.ts';
import { parseLayerTable } from './layer-table.ts';
import { countPlaces } from './ratchets.ts';
import { scanSource } from './scan-source.ts';

const head = '| folder | responsibility | may import | packages it owns | effects |\n| --- | --- | --- | --- | --- |\n';
const rows = [
  '| core | the nouns | – | – | – |',
  '| std | helpers | – | node:net | – |',
  '| phases/a | one | core, std | jose | – |',
  '| phases/b | two | core, std | @scope/thing | – |',
  '| engine | all | core, phases | – | – |',
  '| runtime | together | core, engine | node:* | clock, timers, randomness |',
  '| runtime/config | settings | core | – | environment |',
];
const layers = parseLayerTable(`# X\n\n## Layers\n\n${head}${rows.join('\n')}\n\n## Other\n\n| a | b |\n`);
const scan = (path: string, text: string) => scanSource({ path, text });
const importsOf = (path: string, text: string) => judgeImports([scan(path, text)], layers);
const effectsOf = (path: string, text: string) => judgeEffects([scan(path, text)], layers);

describe('the table of layers', () => {
  it('is read row by row', () => {
    expect(layers.at(-2)).toEqual({
      folder: 'runtime',
      mayImport: ['core', 'engine'],
      packages: ['node:*'],
      effects: ['clock', 'timers', 'randomness'],
    });
  });

  it.each([
    ['has no table', '# X\n\n## Other\n'],
    ['has other columns', '## Layers\n\n| folder | may import |\n| --- | --- |\n| core | – |\n'],
    ['names a folder without a row', `## Layers\n\n${head}| core | x | cord | – | – |\n`],
    ['names an effect that does not exist', `## Layers\n\n${head}| core | x | – | – | magic |\n`],
  ])('is refused where the page %s', (_title, page) => {
    expect(() => parseLayerTable(page)).toThrow();
  });
});

describe('an import', () => {
  it.each([
    ['of the own folder', 'phases/a/x.ts', `import { y } from './y.ts';`],
    ['of a folder that the row names', 'phases/a/x.ts', `import { y } from '../../core/y.ts';`],
    ['of a folder below one that the row names', 'engine/x.ts', `import { y } from '../phases/b/y.ts';`],
    ['of a folder below the own', 'runtime/x.ts', `import { y } from './config/y.ts';`],
    ['of a package that the row names', 'phases/b/x.ts', `import '@scope/thing/part';`],
    ['of any package of Node’s where the row says so', 'runtime/x.ts', `import { y } from 'node:fs/promises';`],
  ])('%s passes', (_title, path, text) => {
    expect(importsOf(path, text)).toEqual([]);
  });

  it.each([
    [
      'of a folder that the row does not name',
      'core/x.ts',
      `import { y } from '../std/y.ts';`,
      'core may not import std',
    ],
    ['of a type alone', 'core/x.ts', `import type { Y } from '../std/y.ts';`, 'core may not import std'],
    ['inside a type', 'core/x.ts', `let y: import('../std/y.ts').Y;`, 'core may not import std'],
    ['that is dynamic', 'core/x.ts', `await import('../std/y.ts');`, 'core may not import std'],
    ['that is passed on', 'core/x.ts', `export { y } from '../std/y.ts';`, 'core may not import std'],
    ['that is passed on whole', 'core/x.ts', `export * from '../std/y.ts';`, 'core may not import std'],
    ['of a sibling phase', 'phases/a/x.ts', `import { y } from '../b/y.ts';`, 'phases/a may not import phases/b'],
    [
      'of the folder above',
      'runtime/config/x.ts',
      `import { y } from '../y.ts';`,
      'runtime/config may not import runtime',
    ],
    ['of a package of somebody else', 'phases/b/x.ts', `import { y } from 'jose';`, 'phases/b does not own jose'],
    ['of a package of Node’s without a row', 'std/x.ts', `import 'node:fs';`, 'std does not own node:fs'],
    ['from outside src', 'core/x.ts', `import { y } from '../../test/y.ts';`, 'it leaves src'],
  ])('%s is caught', (_title, path, text, why) => {
    expect(importsOf(path, `\n${text}`)).toEqual([expect.stringMatching(new RegExp(`^${path}:2: .*${why}$`, 'u'))]);
  });

  it('with a computed name is caught', () => {
    expect(importsOf('runtime/x.ts', 'await import(name);')).toEqual([
      'runtime/x.ts:1: imports a computed name: it must be a literal',
    ]);
  });

  it('in a folder without a row is caught', () => {
    expect(importsOf('extra/x.ts', '')).toEqual(['extra/x.ts: its folder has no row in the table of layers']);
  });

  it('in a comment or a string is none', () => {
    expect(importsOf('core/x.ts', `// import 'jose';\nconst a = "import 'jose'";`)).toEqual([]);
  });
});

describe('a circle of files', () => {
  it('is told with its way, also where only types close it', () => {
    const files = [
      scan('core/a.ts', `import './b.ts';`),
      scan('core/b.ts', `import type { C } from './c.ts';`),
      scan('core/c.ts', `import './b.ts';`),
    ];
    expect(judgeCycles(files)).toEqual(['core/b.ts → core/c.ts → core/b.ts']);
  });

  it('is none where two ways meet', () => {
    const files = [
      scan('core/a.ts', `import './b.ts';\nimport './c.ts';`),
      scan('core/b.ts', `import './c.ts';`),
      scan('core/c.ts', ''),
    ];
    expect(judgeCycles(files)).toEqual([]);
  });
});

describe('an effect', () => {
  it.each([
    ['Date.now()', 'clock'],
    ['const f = Date.now;', 'clock'],
    ['const { now } = Date;', 'clock'],
    ['new Date()', 'clock'],
    ['Date()', 'clock'],
    ['performance.now()', 'clock'],
    ['setTimeout(f, 1)', 'timers'],
    ['globalThis.setTimeout(f, 1)', 'timers'],
    ['setInterval(f, 1)', 'timers'],
    ['run(setTimeout)', 'timers'],
    ['const later = setTimeout;', 'timers'],
    ['AbortSignal.timeout(1)', 'timers'],
    [`import { setTimeout as s } from 'node:timers/promises';`, 'timers'],
    ['Math.random()', 'randomness'],
    ['crypto.randomUUID()', 'randomness'],
    [`import { randomBytes } from 'node:crypto';`, 'randomness'],
    ['process.env.HOME', 'environment'],
    ['const { env } = process;', 'environment'],
    [`import { env } from 'node:process';`, 'environment'],
    [`fetch('http://x')`, 'fetch'],
    [`globalThis.fetch('http://x')`, 'fetch'],
  ])('is caught where the row does not have it: %s', (text, effect) => {
    expect(effectsOf('core/x.ts', `\n${text}`)).toEqual([
      expect.stringMatching(new RegExp(`^core/x\\.ts:2: .* touches ${effect}, which its layer may not$`, 'u')),
    ]);
  });

  it.each([
    ['in a layer that may', 'runtime/x.ts', 'Date.now(); setTimeout(f, Math.random());'],
    ['of the environment in the folder that may', 'runtime/config/x.ts', 'process.env.HOME'],
  ])('passes %s', (_title, path, text) => {
    expect(effectsOf(path, text)).toEqual([]);
  });

  it.each([
    'clock.now()',
    'client.fetch(url)',
    'new Date(0)',
    'Math.floor(1.5)',
    '// Date.now()',
    `const a = 'setTimeout(f)';`,
  ])('is none where nothing is touched: %s', (text) => {
    expect(effectsOf('core/x.ts', text)).toEqual([]);
  });
});

describe('sizes and ratchets', () => {
  it('tell a file and a function that are too long', () => {
    const body = '  f();\n'.repeat(59);
    const files = [
      scan('core/right.ts', `function a() {\n${body.slice('  f();\n'.length)}}\n${'f();\n'.repeat(340)}`),
      scan('core/long.ts', 'f();\n'.repeat(401)),
      scan('core/wide.ts', `f();\nconst a = () => {\n${body}};\n`),
    ];
    expect(judgeSizes(files)).toEqual([
      'core/long.ts: 401 lines, above 400',
      'core/wide.ts:2: a function of 61 lines, above 60',
    ]);
  });

  it('count any, assertions and suppressions, and nothing that only looks like them', () => {
    const text = [
      `let a: any;`,
      `const b = a as string;`,
      `const c = a!;`,
      `// oxlint-disable-next-line no-x -- because`,
      `const d = 'as any' as const satisfies string; // any as well`,
    ];
    expect(countPlaces([scan('core/x.ts', text.join('\n'))])).toEqual({
      any: ['core/x.ts:1'],
      assertions: ['core/x.ts:2', 'core/x.ts:3'],
      suppressions: ['core/x.ts:4'],
    });
  });
});
