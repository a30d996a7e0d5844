import { isJsonObject, ownMember, type JsonObject, type JsonValue } from './json.ts';

/** Reads one claim; undefined where it is absent. Only own members are seen, so `__proto__` and `constructor` are names like others. */
export type ClaimReader = (claims: JsonObject) => JsonValue | undefined;

/** Compiles the name of a claim: literal (`https://acme.com/tenant`), or a JSON Pointer (RFC 6901) where it begins with `/`. */
export function compileClaimPath(name: string): ClaimReader {
  if (!name.startsWith('/')) return (claims) => ownMember(claims, name);
  const steps = name
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return (claims) => {
    let value: JsonValue | undefined = claims;
    for (const step of steps) value = value === undefined ? undefined : memberOf(value, step);
    return value;
  };
}

const arrayIndex = /^(0|[1-9]\d{0,8})$/;

function memberOf(value: JsonValue, step: string): JsonValue | undefined {
  if (isJsonObject(value)) return ownMember(value, step);
  return Array.isArray(value) && arrayIndex.test(step) ? (value as readonly JsonValue[])[Number(step)] : undefined;
}
