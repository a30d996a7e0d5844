import { describe } from 'vitest';
import { partsAreRequired } from '../../tools/parts.ts';
import { findClusterParts } from './cluster-parts.ts';

const found = await findClusterParts(process.env);
const missing = 'etcd' in found ? undefined : found.join(', ');

if (missing !== undefined && partsAreRequired(process.env)) {
  throw new Error(
    `CI=true and there is no ${missing}: \`node test/tools/run.ts parts\` brings it and says why where it cannot.`,
  );
}

/** `describe` for suites that start a cluster: skipped, and said so in the title, where a part of it is missing on a person's machine. */
export function describeWithCluster(title: string, suite: () => void): void {
  if (missing === undefined) describe(title, suite);
  else describe.skip(`${title} (skipped: no ${missing}; \`node test/tools/run.ts parts\` brings it)`, suite);
}
