import { describe } from 'vitest';
import { egctlPart } from '../../../tools/parts/egctl.ts';
import { envoyPart, partsAreRequired } from '../../../tools/parts.ts';

const [egctl, envoy] = await Promise.all([egctlPart.find(process.env), envoyPart.find(process.env)]);
const missing = [...(egctl === undefined ? ['egctl'] : []), ...(envoy === undefined ? ['Envoy'] : [])].join(', ');

if (missing !== '' && partsAreRequired(process.env)) {
  throw new Error(
    `CI=true and there is no ${missing}: \`node test/tools/run.ts parts\` brings it and says why where it cannot.`,
  );
}

/** The binaries of the suites below. */
export interface GatewayParts {
  readonly egctl: string;
  readonly envoy: string;
}

/** `describe` for suites that translate for Envoy Gateway and run what comes of it: skipped, and said so, where a part is missing. */
export function describeWithEgctl(title: string, suite: (parts: GatewayParts) => void): void {
  if (egctl !== undefined && envoy !== undefined) describe(title, () => suite({ egctl, envoy }));
  else
    describe.skip(`${title} (skipped: no ${missing}; \`node test/tools/run.ts parts\` brings it)`, () =>
      suite({ egctl: '', envoy: '' }));
}
