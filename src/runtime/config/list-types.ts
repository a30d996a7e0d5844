import { canonicalizeHost } from '../../canonical/host.ts';
import { isJsonObject, type JsonValue } from '../../core/json.ts';
import { isHeaderName, isProtocolHeader } from '../../std/http-headers.ts';
import { parseCidr } from '../../std/ip.ts';
import { isNamespaceName, type Parsed, type SettingType, type WrongValue } from './setting-types.ts';

/** Namespace to the hosts that its policies may govern; empty: no grants were made, so the namespace of the oldest claim owns a host (S10). */
export type HostGrants = ReadonlyMap<string, readonly string[]>;

/** Names of request headers, brought to lower case; none that belongs to the protocol. */
export function headerNames(): SettingType<readonly string[]> {
  const forms = {
    form: 'names of headers such as x-user, none that belongs to the protocol',
    one: 'the name of a header such as x-user, none that belongs to the protocol',
  };
  return listOf('NAME', forms, (text) =>
    isHeaderName(text) && !isProtocolHeader(text) ? text.toLowerCase() : undefined,
  );
}

/** Ranges of addresses. */
export function cidrs(): SettingType<readonly string[]> {
  const forms = {
    form: 'ranges of addresses such as 10.0.0.0/8 or fd00::/8',
    one: 'a range of addresses such as 10.0.0.0/8 or fd00::/8',
  };
  return listOf('CIDR', forms, (text) => (parseCidr(text) === undefined ? undefined : text));
}

/** Names of namespaces. */
export function namespaceNames(): SettingType<readonly string[]> {
  const forms = { form: 'names of namespaces such as shop', one: 'the name of a namespace such as shop' };
  return listOf('NAME', forms, (text) => (isNamespaceName(text) ? text : undefined));
}

/** A list of texts, without repetitions; a flag's text or a variable may hold several, with commas between. */
function listOf(
  placeholder: string,
  { form, one }: { readonly form: string; readonly one: string },
  parse: (text: string) => string | undefined,
): SettingType<readonly string[]> {
  const read = (texts: readonly string[], pathOf: (index: number) => string): Parsed<readonly string[]> => {
    const values = new Set<string>();
    for (const [index, text] of texts.entries()) {
      const value = parse(text);
      if (value === undefined) return { expected: one, part: { path: pathOf(index), value: text } };
      values.add(value);
    }
    return { value: [...values] };
  };
  return {
    placeholder,
    form,
    arity: 'many',
    fromTexts: (texts) => read(texts.flatMap(splitCommas), () => ''),
    fromJson: (value) => {
      const texts = textsOf(value);
      return texts === undefined ? { expected: `a list of ${form}` } : read(texts, (index) => `[${index}]`);
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

/** A host that is granted, and where it stands. */
interface Grant {
  readonly namespace: string;
  readonly host: string;
  readonly part: NonNullable<WrongValue['part']>;
}

const hostForm = 'a host such as api.example.com or *.example.com, without scheme, port or path, or *';
const namespaceForm = 'under the name of a namespace, such as shop';

function grantsOfTexts(texts: readonly string[]): Parsed<HostGrants> {
  const grants = texts.flatMap(splitCommas).map((text): Grant => {
    const equals = text.indexOf('=');
    const part = { path: '', value: text };
    return { namespace: text.slice(0, Math.max(equals, 0)), host: text.slice(equals + 1), part };
  });
  return toGrants(grants, grantForm, grantForm);
}

function grantsOfJson(value: JsonValue): Parsed<HostGrants> {
  const expected = 'a map of namespaces to lists of hosts such as {shop: ["*.example.com"]}';
  if (!isJsonObject(value)) return { expected };
  const grants: Grant[] = [];
  for (const [namespace, hosts] of Object.entries(value)) {
    const path = `.${namespace}`;
    if (!isNamespaceName(namespace)) return { expected: namespaceForm, part: { path, value: hosts } };
    const texts = textsOf(hosts);
    // A namespace without hosts would read as a grant and be none.
    if (texts === undefined || texts.length === 0)
      return { expected: 'a list of hosts such as ["*.example.com"], at least one', part: { path, value: hosts } };
    grants.push(...texts.map((host, index) => ({ namespace, host, part: { path: `${path}[${index}]`, value: host } })));
  }
  return toGrants(grants, expected, hostForm);
}

/** `whole` is what the setting should have been, `one` what each grant should. */
function toGrants(given: readonly Grant[], whole: string, one: string): Parsed<HostGrants> {
  const grants = new Map<string, string[]>();
  for (const { namespace, host: text, part } of given) {
    const host = hostPattern(text);
    if (host === undefined || !isNamespaceName(namespace)) return { expected: one, part };
    const hosts = grants.get(namespace) ?? [];
    if (!hosts.includes(host)) hosts.push(host);
    grants.set(namespace, hosts);
  }
  // Grants that grant nothing could mean "none" or "not used": the author must say which.
  return grants.size === 0 ? { expected: `${whole}, at least one (leave it out to grant by age)` } : { value: grants };
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
