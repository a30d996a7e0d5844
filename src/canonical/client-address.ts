import { canonicalIp } from '../std/ip.ts';

/**
 * The client's address (S31). Without trusted hops it is the proxy's direct peer. With `n` of them it is the address that the
 * n-th proxy before ours saw: the chain is X-Forwarded-For and the direct peer behind it (once: some proxies append it before they
 * ask), and n entries of its end are proxies. Undefined where the chain is shorter than that, or any entry to be trusted is no address.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  trustedHops: number,
): string | undefined {
  const direct = peer === undefined ? undefined : canonicalIp(peer);
  if (trustedHops === 0) return direct;
  const chain = forwardedFor === undefined ? [] : forwardedFor.split(',').map((entry) => hopAddress(entry.trim()));
  if (direct !== undefined && chain.at(-1) !== direct) chain.push(direct);
  const trusted = chain.slice(-trustedHops);
  if (chain.length <= trustedHops || trusted.includes(undefined)) return undefined;
  return chain.at(-1 - trustedHops);
}

const withPort = /^(?:(\d+\.\d+\.\d+\.\d+)|\[([0-9a-fA-F:.]+)\]):\d{1,5}$/;

function hopAddress(entry: string): string | undefined {
  const parts = withPort.exec(entry);
  return canonicalIp(parts === null ? entry : (parts[1] ?? parts[2] ?? ''));
}
