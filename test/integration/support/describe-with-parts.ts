import { describe } from 'vitest';
import { partsAreRequired } from '../../tools/parts.ts';
import type { Part } from '../../tools/parts/part.ts';

/** `describe` for a suite that is given where its parts are. */
export type DescribeWithParts<Name extends string> = (
  title: string,
  suite: (paths: Readonly<Record<Name, string>>) => void,
) => void;

/**
 * `describe` for suites that need the parts: skipped, and said so in the title, where one is missing on a person's machine. Throws where
 * all of them are required.
 */
export async function describeWithParts<Name extends string>(
  wanted: Readonly<Record<Name, Part>>,
): Promise<DescribeWithParts<Name>> {
  const entries = Object.entries<Part>(wanted);
  const found = await Promise.all(entries.map(async ([name, part]) => [name, await part.find(process.env)] as const));
  const missing = entries.filter((_entry, index) => found[index]?.[1] === undefined).map(([, part]) => part.name);
  if (missing.length > 0 && partsAreRequired(process.env)) {
    const names = missing.join(', ');
    throw new Error(
      `CI=true and there is no ${names}: \`node test/tools/run.ts parts\` says why it cannot be brought.`,
    );
  }
  // Every name of `wanted` is in it.
  const paths = Object.fromEntries(found.map(([name, path]) => [name, path ?? ''])) as Record<Name, string>;
  return (title, suite) => {
    const note = `(skipped: no ${missing.join(', ')}; \`node test/tools/run.ts parts\` brings it)`;
    if (missing.length === 0) describe(title, () => suite(paths));
    else describe.skip(`${title} ${note}`, () => suite(paths));
  };
}
