import { describe } from 'vitest';
import { partsAreRequired } from '../../tools/parts.ts';
import { keycloakPart } from '../../tools/parts/keycloak.ts';

const isHere = (await keycloakPart.find(process.env)) !== undefined;
const remedy = '`node test/tools/run.ts parts` brings it';

if (!isHere && partsAreRequired(process.env))
  throw new Error(`CI=true and there is no Keycloak: ${remedy} and says why where it cannot.`);

/** `describe` for suites that start a Keycloak: skipped, and said so in the title, where there is none on a person's machine. */
export function describeWithKeycloak(title: string, suite: () => void): void {
  if (isHere) describe(title, suite);
  else describe.skip(`${title} (skipped: no Keycloak; ${remedy})`, suite);
}
