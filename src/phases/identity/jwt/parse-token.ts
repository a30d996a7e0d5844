import { denial, type Denial } from '../../../core/decision.ts';
import { isJsonObject, ownMember, type JsonObject } from '../../../core/json.ts';
import { decodeBase64url } from '../../../std/base64url.ts';
import { parseStrictJsonBytes, type StrictJsonReason } from '../../../std/strict-json.ts';

/** A step that reads something out of a token, or refuses it. */
export type Read<T> = { readonly value: T } | { readonly denial: Denial };

/** The three segments of a JWS in compact serialization (RFC 7515 7.1), decoded; nothing in them is believed yet. */
export interface TokenSegments {
  readonly header: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** What the signature is over: header and payload as they stand (RFC 7515 5.2). */
  readonly signingInput: string;
}

/**
 * Takes a compact JWS apart: exactly three segments (five are a JWE, which we refuse), each of base64url in its one spelling, none
 * empty. The length is judged first and the dots are counted before anything is decoded.
 */
export function splitToken(text: string, maxBytes: number): Read<TokenSegments> {
  if (text.length > maxBytes)
    return { denial: denial('token_too_large', `The token is longer than ${maxBytes} bytes.`) };
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first < 0 || second < 0 || text.includes('.', second + 1)) {
    return malformed('The token does not have three parts.');
  }
  const header = decodeBase64url(text.slice(0, first));
  const payload = decodeBase64url(text.slice(first + 1, second));
  const signature = decodeBase64url(text.slice(second + 1));
  if (header === undefined || payload === undefined || signature === undefined) {
    return malformed('A part of the token is empty or not base64url.');
  }
  return { value: { header, payload, signature, signingInput: text.slice(0, second) } };
}

/** Reads a segment as a strict JSON object: UTF-8, no member twice, no number beyond a double, at most 32 deep. */
export function readObject(part: 'header' | 'payload', bytes: Uint8Array): Read<JsonObject> {
  const json = parseStrictJsonBytes(bytes);
  if (json.kind === 'invalid') return malformed(`The ${part} of the token ${said[json.reason]}.`);
  if (!isJsonObject(json.value)) return malformed(`The ${part} of the token is not a JSON object.`);
  return { value: json.value };
}

/** What chooses who may judge a token that nobody has verified yet; undefined for what it does not say, or not as a text. */
export interface TokenPeek {
  readonly alg: string | undefined;
  readonly issuer: string | undefined;
}

/** Reads header and payload exactly as verification does later, so that both see the same. A Denial: it is no JWT. */
export function peekToken(text: string, maxBytes: number): Read<TokenPeek> {
  const segments = splitToken(text, maxBytes);
  if ('denial' in segments) return segments;
  const header = readObject('header', segments.value.header);
  if ('denial' in header) return header;
  const payload = readObject('payload', segments.value.payload);
  if ('denial' in payload) return payload;
  return { value: { alg: textMember(header.value, 'alg'), issuer: textMember(payload.value, 'iss') } };
}

function textMember(object: JsonObject, name: string): string | undefined {
  const value = ownMember(object, name);
  return typeof value === 'string' ? value : undefined;
}

const said: Readonly<Record<StrictJsonReason, string>> = {
  encoding: 'is not UTF-8',
  syntax: 'is not JSON',
  duplicate_member: 'has a member twice',
  too_deep: 'is nested too deep',
  number_range: 'has a number out of range',
  lone_surrogate: 'has a lone surrogate',
};

function malformed(message: string): { readonly denial: Denial } {
  return { denial: denial('token_malformed', message) };
}
