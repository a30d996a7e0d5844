import { layerOf, type Layer } from './layer-table.ts';
import type { SourceFacts } from './scan-source.ts';

/** Every touch of the clock, timers, randomness, the environment or the global fetch where the table does not allow it. */
export function judgeEffects(files: readonly SourceFacts[], layers: readonly Layer[]): readonly string[] {
  return files.flatMap((file) => {
    const layer = layerOf(layers, file.path);
    return file.touches
      .filter(({ effect }) => layer?.effects.includes(effect) !== true)
      .map(({ effect, what, line }) => `${file.path}:${line}: ${what} touches ${effect}, which its layer may not`);
  });
}
