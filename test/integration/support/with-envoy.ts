import { describe } from 'vitest';
import { envoyPart, partsAreRequired } from '../../tools/parts.ts';

/** The real Envoy that `npm test` found or brought; undefined where there is none. */
const binary = await envoyPart.find(process.env);

if (binary === undefined && partsAreRequired(process.env)) {
  throw new Error(
    'CI=true and there is no Envoy: `node test/tools/run.ts parts` brings it and says why where it cannot.',
  );
}

/** `describe` for suites that need Envoy: skipped, and said so in the title, where there is none on a person's machine. */
export function describeWithEnvoy(title: string, suite: (envoyBinary: string) => void): void {
  if (binary === undefined)
    describe.skip(`${title} (skipped: no Envoy; \`node test/tools/run.ts parts\` brings it)`, () => suite(''));
  else describe(title, () => suite(binary));
}
