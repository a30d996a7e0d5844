import type { Request } from '../../core/request.ts';
import type { CredentialPlace } from '../../policy/provider-spec.ts';

/** What stands in one place of a request (S17): `bad` is a credential that cannot be read, which is not the same as none. */
export type Found =
  | { readonly kind: 'absent' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'bad'; readonly why: string }
  /** The bytes of the field are not UTF-8: what we see of it is not what the upstream sees. */
  | { readonly kind: 'not-text'; readonly header: string }
  /** Several values, so that two parsers may take different ones. */
  | { readonly kind: 'ambiguous' }
  /** The field that holds it came twice. */
  | { readonly kind: 'duplicated'; readonly header: string };

const absent: Found = { kind: 'absent' };
const ambiguous: Found = { kind: 'ambiguous' };

/** Reads a place. The value of a token is not judged here, only whether there is one. */
export type PlaceReader = (request: Request) => Found;

/** How closely a place is looked at: who takes a credential away, or judges every character of it later, need not know whether it is a good one. */
export type Look = 'judge' | 'find';

/**
 * Compiles the reader of a place. Authentication and removal share it: what one sees as a credential the other takes away. One that only finds
 * says `token` where one that judges may say `bad`.
 */
export function compilePlaceReader(place: CredentialPlace, look: Look = 'judge'): PlaceReader {
  switch (place.in) {
    case 'header':
      return compileHeaderReader(place.name, place.scheme, look);
    case 'cookie':
      return compileCookieReader(place.name);
    case 'query':
      return compileQueryReader(place.name);
  }
}

function compileHeaderReader(name: string, scheme: string | undefined, look: Look): PlaceReader {
  const readValue = scheme === undefined ? readWhole : compileSchemeReader(scheme, look);
  return ({ headers }) => {
    const value = headers.get(name);
    if (value === undefined) return absent;
    if (headers.count(name) > 1) return { kind: 'duplicated', header: name };
    if (!headers.isText(name)) return { kind: 'not-text', header: name };
    return readValue(value);
  };
}

function readWhole(value: string): Found {
  return value === '' ? bad('The credential is empty.') : { kind: 'token', token: value };
}

/** The characters of a scheme (RFC 9110 5.6.2 token). */
const schemeCharacter = /[!#$%&'*+.^_`|~0-9A-Za-z-]/;
/** RFC 9110 11.2 `token68`. */
const token68 = /^[A-Za-z0-9._~+/-]+=*$/;

/** Another credential behind a comma: a list that a proxy joined out of several fields. */
const secondCredential = /,\s*[!#$%&'*+.^_`|~0-9A-Za-z-]+\s+\S/;

/** `Bearer` in any case, spaces, one token; nothing else is a good credential of that scheme. */
function compileSchemeReader(scheme: string, look: Look): (value: string) => Found {
  const wanted = scheme.toLowerCase();
  // A token is long, and to look at each of its characters a second time is what reading it costs.
  const isGood = look === 'judge' ? (token: string): boolean => token68.test(token) : (): boolean => true;
  const begins = (value: string): boolean =>
    value.slice(0, wanted.length).toLowerCase() === wanted && !schemeCharacter.test(value.charAt(wanted.length));
  return (value) => {
    const trimmed = value.trimStart();
    if (!begins(trimmed)) {
      const laterInList = value.includes(',') && value.split(',').some((part) => begins(part.trimStart()));
      return laterInList ? ambiguous : absent;
    }
    const rest = trimmed.slice(wanted.length);
    if (rest.includes(',') && secondCredential.test(rest)) return ambiguous;
    let spaces = 0;
    while (rest.charCodeAt(spaces) === 0x20) spaces++;
    const token = rest.slice(spaces);
    if (trimmed !== value || spaces === 0 || !isGood(token)) {
      return bad('The scheme is not followed by one token.');
    }
    return { kind: 'token', token };
  };
}

function compileCookieReader(name: string): PlaceReader {
  return ({ headers }) => {
    const value = headers.get('cookie');
    if (value === undefined || !value.includes(name)) return absent;
    const values: string[] = [];
    for (const pair of value.split(';')) {
      // A comma joins two fields that the upstream sees apart: what stands behind it is a cookie of the second.
      if (
        pair
          .split(',')
          .slice(1)
          .some((part) => cookieName(part) === name)
      )
        return { kind: 'duplicated', header: 'cookie' };
      if (cookieName(pair) === name) values.push(cookieValue(pair));
    }
    const [first] = values;
    if (first === undefined) return absent;
    if (headers.count('cookie') > 1) return { kind: 'duplicated', header: 'cookie' };
    if (values.length > 1) return ambiguous;
    if (!headers.isText('cookie')) return { kind: 'not-text', header: 'cookie' };
    return first === '' ? bad('The cookie is empty.') : { kind: 'token', token: first };
  };
}

/** The name of a `name=value` pair of a cookie header; a pair without `=` is a name. */
export function cookieName(pair: string): string {
  const equals = pair.indexOf('=');
  return (equals < 0 ? pair : pair.slice(0, equals)).trim();
}

function cookieValue(pair: string): string {
  const equals = pair.indexOf('=');
  return equals < 0 ? '' : pair.slice(equals + 1).trim();
}

function compileQueryReader(name: string): PlaceReader {
  return ({ query }) => {
    if (query.hasEncodedSpelling(name)) return ambiguous;
    const values = query.getAll(name);
    const [first] = values;
    if (first === undefined) return absent;
    if (values.length > 1) return ambiguous;
    return first === '' ? bad('The query parameter is empty.') : { kind: 'token', token: first };
  };
}

function bad(why: string): Found {
  return { kind: 'bad', why };
}
