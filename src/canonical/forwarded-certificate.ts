import type { ForwardedCertificate, Headers } from '../core/request.ts';
import type { AddressSet } from '../std/ip.ts';

export const forwardedCertificateHeader = 'x-forwarded-client-cert';

/** Longer headers are refused: a chain of certificates goes in. */
const maxCharacters = 65_536;

/**
 * What the direct peer says of the certificate that a client showed it (Envoy's x-forwarded-client-cert). `mayForward` are the addresses
 * that are believed. Undefined where nothing is said and nobody asked.
 */
export function readForwardedCertificate(
  headers: Headers,
  peerAddress: string | undefined,
  mayForward: AddressSet | undefined,
): ForwardedCertificate | undefined {
  const text = headers.get(forwardedCertificateHeader);
  const isBelieved = peerAddress !== undefined && mayForward?.has(peerAddress) === true;
  if (text === undefined) return isBelieved ? { kind: 'absent' } : undefined;
  if (!isBelieved) return { kind: 'refused', why: 'not-trusted' };
  if (headers.count(forwardedCertificateHeader) > 1 || !headers.isText(forwardedCertificateHeader)) return malformed;
  return parseForwardedCertificate(text) ?? malformed;
}

const malformed: ForwardedCertificate = { kind: 'refused', why: 'malformed' };

type Found = Extract<ForwardedCertificate, { kind: 'found' }>;

/**
 * The one element of the header: pairs of a key in any case and a value between semicolons, a value perhaps quoted, in the order in which
 * Envoy writes them (1.40, `set_current_client_cert_details`). Undefined for any other form, for an unknown key, for one out of its place or
 * twice that may be there once, and without a Hash, which every Envoy writes. Undefined also for several elements. Envoy writes the names of
 * a certificate without quotes, so what stands behind them may be what a client had put into one: `Hash` and `Cert` stand before anything of
 * a client's, and nothing else is read.
 */
export function parseForwardedCertificate(text: string): Found | undefined {
  if (text.length > maxCharacters) return undefined;
  const cursor = { at: 0 };
  const pairs = readElement(text, cursor);
  return pairs === undefined || cursor.at < text.length ? undefined : toFound(pairs);
}

interface Cursor {
  at: number;
}

/** To the comma behind the element, or the end; undefined where it has another form. */
function readElement(text: string, cursor: Cursor): readonly (readonly [string, string])[] | undefined {
  const pairs: (readonly [string, string])[] = [];
  for (;;) {
    const equals = text.indexOf('=', cursor.at);
    const key = equals < 0 ? '' : text.slice(cursor.at, equals);
    if (!/^[A-Za-z]{1,20}$/.test(key)) return undefined;
    cursor.at = equals + 1;
    const value = text[cursor.at] === '"' ? readQuoted(text, cursor) : readPlain(text, cursor);
    if (value === undefined) return undefined;
    pairs.push([key.toLowerCase(), value]);
    if (text[cursor.at] !== ';') return cursor.at >= text.length || text[cursor.at] === ',' ? pairs : undefined;
    cursor.at += 1;
  }
}

const plain = /[^;,"]*/y;

function readPlain(text: string, cursor: Cursor): string {
  plain.lastIndex = cursor.at;
  const value = plain.exec(text)?.[0] ?? '';
  cursor.at += value.length;
  return value;
}

/** A backslash and what stands behind it stay together: Subject is of RFC 2253, which escapes so too. */
const quoted = /"((?:[^"\\]|\\.)*)"/y;

function readQuoted(text: string, cursor: Cursor): string | undefined {
  quoted.lastIndex = cursor.at;
  const found = quoted.exec(text);
  if (found === null) return undefined;
  cursor.at += found[0].length;
  return found[1] ?? '';
}

/** In Envoy's order; of a certificate that the proxy shows itself there may be several URIs. */
const keys = ['by', 'hash', 'cert', 'chain', 'subject', 'uri', 'dns'] as const;
const repeated: ReadonlySet<string> = new Set(['by', 'uri', 'dns']);

function toFound(pairs: readonly (readonly [string, string])[]): Found | undefined {
  if (!isInOrder(pairs)) return undefined;
  const only = (key: (typeof keys)[number]): string | undefined => pairs.find(([name]) => name === key)?.[1];
  const hash = only('hash');
  if (hash === undefined || !/^[0-9a-f]{64}$/.test(hash)) return undefined;
  return { kind: 'found', hash, certificate: only('cert') };
}

function isInOrder(pairs: readonly (readonly [string, string])[]): boolean {
  let last = -1;
  for (const [name] of pairs) {
    const place = keys.findIndex((key) => key === name);
    if (place < last || (place === last && !repeated.has(name)) || place < 0) return false;
    last = place;
  }
  return true;
}
