import { BlockList, SocketAddress, isIP } from 'node:net';

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/**
 * One spelling for an address: lower case, compressed, IPv4-mapped IPv6 as IPv4.
 * Undefined for what is no address: short and octal forms, zone ids, ports and brackets among them.
 */
export function canonicalIp(text: string): string | undefined {
  const family = isIP(text);
  if (family === 4) return text;
  if (family !== 6 || text.includes('%')) return undefined;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return mapped.exec(address)?.[1] ?? address;
}

export interface Cidr {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Reads `10.0.0.0/8`, `2001:db8::/32` or a single address; undefined for anything else, host bits set included. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = canonicalIp(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
  const width = family === 'ipv4' ? 32 : 128;
  const length = slash < 0 ? String(width) : text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > width) return undefined;
  const prefix = Number(length);
  return hasBitsBehind(address, prefix) ? undefined : { address, prefix, family };
}

/** True where a bit behind the prefix is set, so that the range would be wider than it is written. */
function hasBitsBehind(address: string, prefix: number): boolean {
  const [words, width] = isIP(address) === 4 ? [address.split('.').map(Number), 8] : [ipv6Words(address), 16];
  return words.some((word, index) => {
    const kept = Math.min(Math.max(prefix - index * width, 0), width);
    return (word & ((1 << (width - kept)) - 1)) !== 0;
  });
}

/** The eight 16-bit words of a canonical IPv6 address. */
function ipv6Words(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const before = words(head);
  const after = words(tail ?? '');
  const gap = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: gap }, () => 0), ...after];
}

function words(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((word) => {
    if (!word.includes('.')) return [Number.parseInt(word, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = word.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

export interface AddressSet {
  /** `ip` in the form of `canonicalIp`. */
  has(ip: string): boolean;
}

/** Compiles ranges already checked by `parseCidr`; throws a RangeError for one that it refuses. */
export function compileAddressSet(cidrs: readonly string[]): AddressSet {
  // Two lists, because one would find IPv4 addresses in `::/0`.
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const text of cidrs) {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new RangeError(`not a range of addresses: ${text}`);
    lists[cidr.family].addSubnet(cidr.address, cidr.prefix, cidr.family);
  }
  return { has: (ip) => (isIP(ip) === 4 ? lists.ipv4.check(ip, 'ipv4') : lists.ipv6.check(ip, 'ipv6')) };
}
