import { canonicalizeHost } from '../../canonical/host.ts';
import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { isHeaderName, isProtocolHeader } from '../../std/http-headers.ts';
import { parseCidr } from '../../std/ip.ts';
import { isNamespaceName, type Parsed, type SettingType } from './setting-types.ts';

/** Namespace to the hosts that its policies may govern; empty: no grants were made, so the namespace of the oldest claim owns a host (S10). */
export type HostGrants = ReadonlyMap<string, readonly string[]>;

/** Names of request headers, brought to lower case; none that belongs to the protocol. */
export function headerNames(): SettingType<readonly string[]> {
  return listOf('NAME', 'names of headers such as x-user, none that belongs to the protocol', (text) =>
    isHeaderName(text) && !isProtocolHeader(text) ? text.toLowerCase() : undefined,
  );
}

/** Ranges of addresses. */
export function cidrs(): SettingType<readonly string[]> {
  return listOf('CIDR', 'ranges of addresses such as 10.0.0.0/8 or fd00::/8', (text) =>
    parseCidr(text) === undefined ? undefined : text,
  );
}

/** Names of namespaces. */
export function namespaceNames(): SettingType<readonly string[]> {
  return listOf('NAME', 'names of namespaces such as shop', (text) => (isNamespaceName(text) ? text : undefined));
}

/** A list of texts, without repetitions; a flag's text or a variable may hold several, with commas between. */
function listOf(
  placeholder: string,
  form: string,
  parse: (text: string) => string | undefined,
): SettingType<readonly string[]> {
  const read = (texts: readonly string[]): Parsed<readonly string[]> => {
    const values = texts.map(parse);
    return values.includes(undefined)
      ? { expected: form }
      : { value: [...new Set(values.filter((value) => value !== undefined))] };
  };
  return {
    placeholder,
    form,
    arity: 'many',
    fromTexts: (texts) => read(texts.flatMap(splitCommas)),
    fromJson: (value) => {
      const texts = textsOf(value);
      return texts === undefined ? { expected: `a list of ${form}` } : read(texts);
    },
    toJson: (value) => value,
  };
}

const grantForm = 'NAMESPACE=HOST such as shop=*.example.com';

/** `shop=*.example.com` on the command line, `hostGrants: {shop: ["*.example.com"]}` in the config file. */
export function hostGrants(): SettingType<HostGrants> {
  return {
    placeholder: 'NAMESPACE=HOST',
    form: grantForm,
    arity: 'many',
    fromTexts: grantsOfTexts,
    fromJson: grantsOfJson,
    toJson: (grants) => Object.fromEntries(grants),
  };
}

function grantsOfTexts(texts: readonly string[]): Parsed<HostGrants> {
  const pairs = texts.flatMap(splitCommas).map((text) => {
    const equals = text.indexOf('=');
    return [text.slice(0, Math.max(equals, 0)), text.slice(equals + 1)] as const;
  });
  return grantsOfPairs(pairs, grantForm);
}

function grantsOfJson(value: JsonValue): Parsed<HostGrants> {
  const expected = 'a map of namespaces to lists of hosts such as {shop: ["*.example.com"]}';
  if (!isJsonObject(value)) return { expected };
  const pairs: (readonly [string, string | undefined])[] = [];
  for (const [namespace, hosts] of Object.entries(value)) {
    const texts = textsOf(hosts);
    // A namespace without hosts would read as a grant and be none.
    if (texts === undefined || texts.length === 0) return { expected };
    pairs.push(...texts.map((host) => [namespace, host] as const));
  }
  return grantsOfPairs(pairs, expected);
}

function grantsOfPairs(
  pairs: readonly (readonly [string, string | undefined])[],
  expected: string,
): Parsed<HostGrants> {
  const grants = new Map<string, string[]>();
  for (const [namespace, text] of pairs) {
    const host = hostPattern(text ?? '');
    if (host === undefined || !isNamespaceName(namespace)) return { expected };
    const hosts = grants.get(namespace) ?? [];
    if (!hosts.includes(host)) hosts.push(host);
    grants.set(namespace, hosts);
  }
  // Grants that grant nothing could mean "none" or "not used": the author must say which.
  return grants.size === 0
    ? { expected: `${expected}, at least one (leave it out to grant by age)` }
    : { value: grants };
}

/** `api.example.com`, `*.example.com` or `*`, in canonical form. */
function hostPattern(text: string): string | undefined {
  if (text === '*') return text;
  const star = text.startsWith('*.') ? '*.' : '';
  const read = canonicalizeHost(text.slice(star.length));
  return read.kind === 'host' && read.port === undefined ? `${star}${read.host}` : undefined;
}

function textsOf(value: JsonValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const texts: string[] = [];
  for (const entry of value) {
    if (typeof entry !== 'string') return undefined;
    texts.push(entry);
  }
  return texts;
}

/** The empty text is the empty list. */
function splitCommas(text: string): string[] {
  return text.trim() === '' ? [] : text.split(',').map((part) => part.trim());
}
