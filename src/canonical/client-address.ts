import type { Headers, RawRequest } from '../core/request.ts';
import { canonicalIp } from '../std/ip.ts';

/**
 * The client's address (S31). Without trusted hops it is the proxy's direct peer (`direct`, of `directAddress`). With `n` of them it is
 * the address that the n-th proxy before ours saw: the chain is X-Forwarded-For and the direct peer behind it
 * (once: some proxies append it before they ask), and n entries of its end are proxies. Undefined where the chain is shorter than that, any
 * entry to be trusted is no address, or the direct peer has none (a pipe): then what ends the chain may be the client's own word.
 */
export function clientAddress(
  direct: string | undefined,
  headers: Pick<Headers, 'get'>,
  trustedHops: number,
): string | undefined {
  if (trustedHops === 0 || direct === undefined) return direct;
  const forwardedFor = headers.get('x-forwarded-for');
  // What stands further ahead is never looked at.
  const entries = forwardedFor === undefined ? [] : forwardedFor.split(',').slice(-trustedHops - 2);
  const chain = entries.map((entry) => hopAddress(entry.trim()));
  if (chain.at(-1) !== direct) chain.push(direct);
  const trusted = chain.slice(-trustedHops);
  if (chain.length <= trustedHops || trusted.includes(undefined)) return undefined;
  return chain.at(-1 - trustedHops);
}

/** The canonical address of the proxy's direct peer; undefined where it has none. */
export function directAddress({ peerAddress }: Pick<RawRequest, 'peerAddress'>): string | undefined {
  return peerAddress === undefined ? undefined : canonicalIp(peerAddress);
}

const withPort = /^(?:(\d+\.\d+\.\d+\.\d+)|\[([0-9a-fA-F:.]+)\]):\d{1,5}$/;

function hopAddress(entry: string): string | undefined {
  const parts = withPort.exec(entry);
  return canonicalIp(parts === null ? entry : (parts[1] ?? parts[2] ?? ''));
}
