import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../../core/json.ts';
import { revocationTargets, type Revocation, type RevocationScope } from '../../core/revocation.ts';

/** A revocation as an operator writes it, or what is wrong with it: a clause that quotes no value, because one may name a person. */
export type ReadRevocation = { readonly value: Revocation } | { readonly wrong: string };

const scopeFields = ['issuer', 'namespace', 'provider'] as const;
const fields = new Set<string>([...scopeFields, ...revocationTargets, 'issuedBefore', 'expiresAt', 'comment']);
/** 2048 characters, each of which may be two units of UTF-16. */
const maxIssuer = 4096;
/** OpenID Connect Core 2 has 255 for `sub`. */
const maxValue = 512;
const dnsName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const providerName = /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/)?[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/**
 * Reads one: exactly one of `issuer` (and with it perhaps `namespace`) and `provider`, exactly one of the targets, and times. A field that is
 * not known is wrong, as everywhere where one could restrict (S2).
 */
export function readRevocation(value: unknown): ReadRevocation {
  if (!isJsonObject(value)) return wrong('a revocation is an object');
  const unknown = Object.keys(value).find((name) => !fields.has(name));
  if (unknown !== undefined) return wrong(`${JSON.stringify(unknown.slice(0, 40))} is no field of a revocation`);
  const scope = readScope(value);
  if ('wrong' in scope) return scope;
  const named = revocationTargets.filter((target) => ownMember(value, target) !== undefined);
  const [target] = named;
  if (target === undefined || named.length > 1)
    return wrong(`exactly one of ${revocationTargets.join(', ')} is needed`);
  const name = ownMember(value, target);
  if (!isText(name, maxValue)) return wrong(`${target} must be a text of 1 to ${maxValue} characters`);
  const issuedBefore = readTime(ownMember(value, 'issuedBefore'));
  const expiresAt = readTime(ownMember(value, 'expiresAt'));
  if (issuedBefore === 'wrong' || expiresAt === 'wrong')
    return wrong(`${issuedBefore === 'wrong' ? 'issuedBefore' : 'expiresAt'} must be ${timeForm}`);
  if (target === 'jti' && issuedBefore !== undefined)
    return wrong('issuedBefore does not stand with jti, which is one token');
  const comment = ownMember(value, 'comment');
  if (comment !== undefined && !isText(comment, maxValue))
    return wrong(`comment must be a text of 1 to ${maxValue} characters`);
  const folded = target === 'email' ? name.toLowerCase() : name;
  // An end within a second is that second's.
  const end = expiresAt === undefined ? undefined : Math.ceil(expiresAt);
  return { value: { scope: scope.value, target, value: folded, issuedBefore, expiresAt: end } };
}

function readScope(value: JsonObject): { readonly value: RevocationScope } | { readonly wrong: string } {
  const [issuer = '', namespace = '', provider = ''] = scopeFields.map((name) => ownMember(value, name));
  if ((issuer === '') === (provider === '')) return wrong('exactly one of issuer and provider is needed');
  if (typeof issuer !== 'string' || (issuer !== '' && !isText(issuer, maxIssuer)))
    return wrong('issuer must be a text, as it stands in iss');
  if (typeof provider !== 'string' || (provider !== '' && !providerName.test(provider)))
    return wrong('provider must be namespace/name of an IdentityProvider, or the name of a ClusterIdentityProvider');
  if (typeof namespace !== 'string' || (namespace !== '' && !dnsName.test(namespace)))
    return wrong('namespace must be the name of a namespace');
  if (namespace !== '' && provider !== '') return wrong('namespace stands with issuer, not with provider');
  return { value: { issuer, namespace, provider } };
}

const timeForm = 'a time such as 2026-11-21T08:30:00Z, or seconds since the epoch';
const dateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
/** 9999-12-31T23:59:59Z */
const lastSecond = 253_402_300_799;

/** Seconds since the epoch of a NumericDate or of an RFC 3339 time; undefined where it is absent. */
export function readTime(value: JsonValue | undefined): number | undefined | 'wrong' {
  if (value === undefined) return undefined;
  const seconds = typeof value === 'string' ? (dateTime.test(value) ? Date.parse(value) / 1000 : Number.NaN) : value;
  return typeof seconds === 'number' && seconds >= 0 && seconds <= lastSecond ? seconds : 'wrong';
}

/** A text that no log or header could misread. */
function isText(value: JsonValue | undefined, maxLength: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxLength && !/\p{Cc}/u.test(value);
}

function wrong(why: string): { readonly wrong: string } {
  return { wrong: why };
}
