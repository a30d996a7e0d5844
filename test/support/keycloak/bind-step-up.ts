import type { JsonValue } from '../../../src/core/json.ts';
import type { Realm } from './keycloak.ts';
import { memberText } from './member-text.ts';

const flow = 'step-up';

/**
 * Makes a browser sign-in of levels: the first asks for name and password, each further one for the password again, as often as the level is
 * asked for by `acr_values` (Keycloak's "Step-up flow", with passwords where people would have second factors).
 */
export async function bindStepUp(admin: Realm['admin'], levels: number): Promise<void> {
  await admin('POST', '/authentication/flows', {
    alias: flow,
    providerId: 'basic-flow',
    topLevel: true,
    builtIn: false,
  });
  await addExecution(admin, flow, 'auth-cookie', 'ALTERNATIVE');
  await addFlow(admin, flow, 'levels', 'ALTERNATIVE');
  for (let level = 1; level <= levels; level++) {
    const alias = `level-${level}`;
    await addFlow(admin, 'levels', alias, 'CONDITIONAL');
    const condition = await addExecution(admin, alias, 'conditional-level-of-authentication', 'REQUIRED');
    // The first level is as long as the session; a higher one is asked for each time.
    const maxAge = level === 1 ? '36000' : '0';
    const config = { 'loa-condition-level': String(level), 'loa-max-age': maxAge };
    await admin('POST', `/authentication/executions/${condition}/config`, { alias: `${alias}-condition`, config });
    await addExecution(admin, alias, level === 1 ? 'auth-username-password-form' : 'auth-password-form', 'REQUIRED');
  }
  await admin('PUT', '', { browserFlow: flow });
}

/** The id of the new execution, which is the last of its flow. */
async function addExecution(
  admin: Realm['admin'],
  parent: string,
  provider: string,
  requirement: string,
): Promise<string> {
  await admin('POST', `/authentication/flows/${parent}/executions/execution`, { provider });
  return require(admin, parent, 'providerId', provider, requirement);
}

async function addFlow(admin: Realm['admin'], parent: string, alias: string, requirement: string): Promise<void> {
  await admin('POST', `/authentication/flows/${parent}/executions/flow`, { alias, type: 'basic-flow' });
  await require(admin, parent, 'displayName', alias, requirement);
}

async function require(
  admin: Realm['admin'],
  parent: string,
  field: string,
  value: string,
  requirement: string,
): Promise<string> {
  const all = (await admin('GET', `/authentication/flows/${parent}/executions`)) as readonly Record<
    string,
    JsonValue
  >[];
  const found = all.findLast((execution) => execution[field] === value);
  if (found === undefined) throw new Error(`${parent} has no ${value}`);
  await admin('PUT', `/authentication/flows/${parent}/executions`, { ...found, requirement });
  return memberText(found, 'id');
}
