import { isJsonObject, ownMember, type JsonValue } from '../../../src/core/json.ts';

/** The text of a member of what Keycloak answered; throws where there is none. */
export function memberText(value: JsonValue, name: string): string {
  const member = isJsonObject(value) ? ownMember(value, name) : undefined;
  if (typeof member !== 'string') throw new Error(`Keycloak's answer has no ${name}`);
  return member;
}
