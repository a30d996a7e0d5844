import { Failure } from '../core/failure.ts';
import { isHeaderName, isHeaderValue, isProtocolHeader, maxHeaderBytes as maxBytes } from '../std/http-headers.ts';
import { rememberPassed } from '../std/small-memo.ts';

/** What Envoy adds where it let a request pass without an answer of ours, and does not take from a client that sends it. */
export const failureModeHeader = 'x-envoy-auth-failure-mode-allowed';

/** The name, if it may be removed from a request. Throws a Failure `unsafe_header` where not. */
export function removableHeader(name: string): string {
  if (name !== failureModeHeader && !isSafeName(name)) throw unsafe(name, 'may not be removed');
  return name;
}

/** Throws a Failure `unsafe_header` where name or value may not leave. */
export function assertSafeHeader(name: string, value: string): void {
  if (!isSafeName(name)) throw unsafe(name, 'may not be set');
  if (!isHeaderValue(value)) throw unsafe(name, 'has a value that may not leave');
}

function unsafe(name: string, why: string): Failure {
  return new Failure('unsafe_header', `The header ${JSON.stringify(name.slice(0, 100))} ${why}.`);
}

/** Names come from policies, so few, or are a client's spellings of these: what was found safe is remembered, within a bound. */
const isSafeName = rememberPassed(
  10_000,
  (name) => name.length <= maxBytes && isHeaderName(name) && name === name.toLowerCase() && !isProtocolHeader(name),
);

/**
 * True for text of at most 16 KiB without control characters that is valid UTF-8 once encoded: a lone surrogate would make the
 * whole message undecodable for Envoy, which is an allow where `failure_mode_allow` is set.
 */
export function isSafeText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return false;
  }
  if (text.length * 3 <= maxBytes) return text.isWellFormed();
  return text.isWellFormed() && Buffer.byteLength(text, 'utf8') <= maxBytes;
}
