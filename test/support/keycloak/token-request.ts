import { isJsonObject, ownMember, type JsonObject } from '../../../src/core/json.ts';
import type { Tokens } from './keycloak.ts';

/** The tokens of a token endpoint's answer. Throws with its error where it is none. */
export async function readTokens(answer: Response): Promise<Tokens> {
  const body: unknown = await answer.json();
  if (!answer.ok || !isJsonObject(body)) throw new Error(`no token: ${answer.status} ${JSON.stringify(body)}`);
  const text = (name: string): string => textOf(body, name);
  return { accessToken: text('access_token'), refreshToken: text('refresh_token'), idToken: text('id_token') };
}

function textOf(body: JsonObject, name: string): string {
  const value = ownMember(body, name);
  return typeof value === 'string' ? value : '';
}
