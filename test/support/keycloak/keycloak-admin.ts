import type { JsonValue } from '../../../src/core/json.ts';
import { readTokens } from './token-request.ts';

/** Calls of the admin API, `path` below `/admin/realms`. Throws where the answer is no 2xx; null for an empty one. */
export type KeycloakAdmin = (
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: JsonValue,
) => Promise<JsonValue>;

/** As the administrator of the master realm, with a new token for each call: tokens of that realm live a minute. */
export function keycloakAdmin(url: string, password: string): KeycloakAdmin {
  return async (method, path, body) => {
    const { accessToken } = await readTokens(
      await fetch(`${url}/realms/master/protocol/openid-connect/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username: 'admin', password }),
      }),
    );
    const answer = await fetch(`${url}/admin/realms${path}`, {
      method,
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? null : (JSON.parse(text) as JsonValue);
  };
}
