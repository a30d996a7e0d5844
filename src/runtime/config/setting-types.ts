import type { JsonValue } from '../../core/json.ts';
import { formatDuration, parseDuration } from '../../std/duration.ts';
import { canonicalIp } from '../../std/ip.ts';
import { isLabelSelector } from '../../std/label-selector.ts';
import { formatRedisUrl, parseRedisUrl, type RedisAddress } from '../../std/redis-url.ts';
import { formatSocketAddress, parseSocketAddress, type SocketAddress } from '../../std/socket-address.ts';

/** A value, or what the text should have been: `a whole number from 1 to 10`. */
export type Parsed<T> = { readonly value: T } | WrongValue;

export interface WrongValue {
  readonly expected: string;
  /** Which part of a list or map is meant, where not the whole: its path below the setting (`[1]`, `.shop[0]`), and what is there. */
  readonly part?: { readonly path: string; readonly value: JsonValue };
}

/** How the values of a setting are written on the command line, in the environment and in the config file. */
export interface SettingType<T> {
  /** In usage lines: `DURATION`. */
  readonly placeholder: string;
  /** What a value looks like, for help and errors: `a duration such as 500ms`. */
  readonly form: string;
  /** `switch`: a flag that needs no value. `many`: a flag that may be repeated, a list in the config file. */
  readonly arity: 'one' | 'many' | 'switch';
  /** True where a value that is wrong may hold a secret, and is not to be shown. */
  readonly isHidden?: true;
  /** Every occurrence of the flag, or the one environment variable. */
  fromTexts(texts: readonly string[]): Parsed<T>;
  fromJson(value: JsonValue): Parsed<T>;
  toJson(value: T): JsonValue;
}

interface OneText<T> {
  readonly placeholder: string;
  readonly form: string;
  readonly arity?: 'one' | 'switch';
  readonly parse: (text: string) => T | undefined;
  readonly format: (value: T) => JsonValue;
}

/** A type whose value is one text; of a flag given twice the last counts. */
function oneText<T>({ placeholder, form, arity = 'one', parse, format }: OneText<T>): SettingType<T> {
  const read = (text: string): Parsed<T> => {
    const value = parse(text);
    return value === undefined ? { expected: form } : { value };
  };
  return {
    placeholder,
    form,
    arity,
    fromTexts: (texts) => read(texts.at(-1) ?? ''),
    fromJson: (value) => (value === null || typeof value === 'object' ? { expected: form } : read(String(value))),
    toJson: format,
  };
}

/** A path of a folder; not empty. Undefined, which nobody can write, means none. */
export function folder(): SettingType<string | undefined> {
  const form = 'the path of a folder';
  const parse = (text: unknown): Parsed<string | undefined> =>
    typeof text !== 'string' || text === '' || text.includes('\0') ? { expected: form } : { value: text };
  return pathType('DIR', form, parse);
}

/** A path of a file; the empty text is undefined and means none. */
export function optionalFile(): SettingType<string | undefined> {
  const form = 'the path of a file, or empty for none';
  const parse = (text: unknown): Parsed<string | undefined> => {
    if (typeof text !== 'string' || text.includes('\0')) return { expected: form };
    return { value: text === '' ? undefined : text };
  };
  return pathType('FILE', form, parse);
}

function pathType(
  placeholder: string,
  form: string,
  parse: (text: unknown) => Parsed<string | undefined>,
): SettingType<string | undefined> {
  return {
    placeholder,
    form,
    arity: 'one',
    fromTexts: (texts) => parse(texts.at(-1) ?? ''),
    fromJson: parse,
    toJson: (value) => value ?? '',
  };
}

/** A name of a Kubernetes namespace (a DNS label). */
export function namespaceName(): SettingType<string> {
  return oneText({
    placeholder: 'NAME',
    form: 'the name of a namespace, such as portcullis',
    parse: (text) => (isNamespaceName(text) ? text : undefined),
    format: (value) => value,
  });
}

/** A name of a Kubernetes object (a DNS subdomain); empty for none. */
export function objectName(example: string): SettingType<string> {
  return oneText({
    placeholder: 'NAME',
    form: `the name of an object, such as ${example}`,
    parse: (text) => (text === '' || /^[a-z0-9]([-a-z0-9.]{0,200}[a-z0-9])?$/.test(text) ? text : undefined),
    format: (value) => value,
  });
}

/** A label selector as kubectl takes it; empty for all. */
export function labelSelector(): SettingType<string> {
  return oneText({
    placeholder: 'SELECTOR',
    form: 'a label selector such as team=shop or tier in (a,b)',
    parse: (text) => (isLabelSelector(text) ? text.trim() : undefined),
    format: (value) => value,
  });
}

/** True for a DNS label (RFC 1123), which names of namespaces are. */
export function isNamespaceName(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

export type TcpAddress = Extract<SocketAddress, { readonly kind: 'tcp' }>;

export function socketAddress(): SettingType<SocketAddress> {
  return oneText({
    placeholder: 'ADDRESS',
    form: 'an address such as 0.0.0.0:9001, [::]:9001 or unix:PATH',
    parse: parseStrictly,
    format: formatSocketAddress,
  });
}

export function tcpAddress(): SettingType<TcpAddress> {
  return oneText({
    placeholder: 'ADDRESS',
    form: 'an address such as 0.0.0.0:9002 or [::]:9002',
    parse: (text) => {
      const address = parseStrictly(text);
      return address?.kind === 'tcp' ? address : undefined;
    },
    format: formatSocketAddress,
  });
}

/** Digits and dots alone can only be an IPv4 address: as a name, `1.2.3.400` would be looked up. */
function parseStrictly(text: string): SocketAddress | undefined {
  const address = parseSocketAddress(text);
  if (address?.kind !== 'tcp' || !/^[0-9.]+$/.test(address.host)) return address;
  return canonicalIp(address.host) === undefined ? undefined : address;
}

/** A TCP address; the empty text is undefined and means off. */
export function optionalTcpAddress(): SettingType<TcpAddress | undefined> {
  const inner = tcpAddress();
  const off = (): Parsed<TcpAddress | undefined> => ({ value: undefined });
  return {
    ...inner,
    form: `${inner.form}, or empty for off`,
    fromTexts: (texts) => (texts.at(-1) === '' ? off() : inner.fromTexts(texts)),
    fromJson: (value) => (value === '' ? off() : inner.fromJson(value)),
    toJson: (value) => (value === undefined ? '' : formatSocketAddress(value)),
  };
}

/** Where a Redis is; the empty text is undefined and means none. User and password stand elsewhere, so that this can be shown. */
export function optionalRedisUrl(): SettingType<RedisAddress | undefined> {
  const form = 'redis://HOST:PORT or rediss://HOST:PORT (TLS), without user and password, or empty for none';
  const parse = (text: unknown): Parsed<RedisAddress | undefined> => {
    if (text === '') return { value: undefined };
    const value = typeof text === 'string' ? parseRedisUrl(text) : undefined;
    return value === undefined ? { expected: form } : { value };
  };
  return {
    placeholder: 'URL',
    form,
    arity: 'one',
    isHidden: true,
    fromTexts: (texts) => parse(texts.at(-1) ?? ''),
    fromJson: parse,
    toJson: (value) => (value === undefined ? '' : formatRedisUrl(value)),
  };
}

/** The name of a user; empty for none. */
export function optionalUserName(): SettingType<string> {
  return oneText({
    placeholder: 'NAME',
    form: 'the name of a user, without white space',
    parse: (text) => (/^[^\s\p{Cc}]{0,255}$/u.test(text) ? text : undefined),
    format: (value) => value,
  });
}

/** What stands before each key that is written; may be empty. */
export function keyPrefix(): SettingType<string> {
  return oneText({
    placeholder: 'TEXT',
    form: 'letters, digits and : . _ -, at most 100',
    parse: (text) => (/^[A-Za-z0-9:._-]{0,100}$/.test(text) ? text : undefined),
    format: (value) => value,
  });
}

/** Milliseconds, from `least` to `most`, both in the same spelling as the values. */
export function duration(least: string, most: string): SettingType<number> {
  const low = parseDuration(least) ?? 0;
  const high = parseDuration(most) ?? 0;
  return oneText({
    placeholder: 'DURATION',
    form: `a duration such as 500ms, 5s, 10m or 24h, from ${least} to ${most}`,
    parse: (text) => within(parseDuration(text), low, high),
    format: formatDuration,
  });
}

export function wholeNumber(least: number, most: number): SettingType<number> {
  return oneText({
    placeholder: 'NUMBER',
    form: `a whole number from ${least} to ${most}`,
    parse: (text) => within(/^\d{1,15}$/.test(text) ? Number(text) : undefined, least, most),
    format: (value) => value,
  });
}

/** A number from 0 to 1. */
export function fraction(): SettingType<number> {
  return oneText({
    placeholder: 'FRACTION',
    form: 'a number from 0 to 1',
    parse: (text) => within(/^\d{1,3}(?:\.\d{1,15})?$/.test(text) ? Number(text) : undefined, 0, 1),
    format: (value) => value,
  });
}

export function choice<T extends string>(...choices: readonly T[]): SettingType<T> {
  return oneText({
    placeholder: choices.join('|'),
    form: `one of ${choices.join(', ')}`,
    parse: (text) => choices.find((one) => one === text),
    format: (value) => value,
  });
}

/** A switch: `--flag`, `--flag=false`. */
export function onOff(): SettingType<boolean> {
  return oneText({
    placeholder: 'true|false',
    form: 'true or false',
    arity: 'switch',
    parse: (text) => (text === 'true' || text === 'false' ? text === 'true' : undefined),
    format: (value) => value,
  });
}

function within(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined;
}
