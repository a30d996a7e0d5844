import { canonicalIp, compileAddressSet } from './ip.ts';

/** `never`: no setting opens it. `private`: only where the operator says so. */
export type AddressClass = 'public' | 'private' | 'never';

/**
 * Link-local addresses, where clouds keep the metadata service of a machine, that service's other addresses (AWS, GCP, Alibaba, Oracle,
 * Azure), and what is no address of one host: unspecified, multicast, reserved.
 */
const never = compileAddressSet([
  '0.0.0.0/8',
  '100.100.100.200',
  '168.63.129.16',
  '169.254.0.0/16',
  '192.0.0.192',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::',
  'fd00:ec2::254',
  'fd20:ce::254',
  'fe80::/10',
  'ff00::/8',
]);

/** Of RFC 6890's registries, what is not globally reachable: loopback, RFC 1918, CGNAT, unique local and the like. */
const notGlobal = compileAddressSet([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '::1',
  '100::/64',
  'fc00::/7',
  'fec0::/10',
]);

/** Local-use NAT64 (RFC 8215) and Teredo lead to IPv4 hosts that the address does not show plainly. */
const opaqueTunnels = compileAddressSet(['64:ff9b:1::/48', '2001::/32']);

/** Classifies an address in any spelling; IPv6 that carries an IPv4 address is what that is. What is no address is `never`. */
export function classifyAddress(text: string): AddressClass {
  const ip = canonicalIp(text);
  if (ip === undefined || never.has(ip) || opaqueTunnels.has(ip)) return 'never';
  const inner = ip.includes(':') ? embeddedIpv4(ip) : undefined;
  if (inner !== undefined) return classifyAddress(inner);
  return notGlobal.has(ip) ? 'private' : 'public';
}

const well = /^64:ff9b::/;

/** The IPv4 address within NAT64 (RFC 6052), 6to4 (RFC 3056), IPv4-translated (RFC 2765) and IPv4-compatible addresses; mapped ones are IPv4 already. */
function embeddedIpv4(ip: string): string | undefined {
  const groups = expand(ip);
  if (well.test(ip) || startsWith(groups, [0, 0, 0, 0, 0, 0]) || startsWith(groups, [0, 0, 0, 0, 0xffff, 0])) {
    // `::1` is loopback, not 0.0.0.1.
    return ip === '::1' ? undefined : toIpv4(groups[6], groups[7]);
  }
  return groups[0] === 0x2002 ? toIpv4(groups[1], groups[2]) : undefined;
}

/** The eight groups of a canonical IPv6 address, whose end may be written as IPv4. */
function expand(ip: string): readonly number[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(ip);
  const hex =
    dotted === null
      ? ip
      : ip.slice(0, dotted.index) +
        [(Number(dotted[1]) << 8) | Number(dotted[2]), (Number(dotted[3]) << 8) | Number(dotted[4])]
          .map((group) => group.toString(16))
          .join(':');
  const [head = '', tail] = hex.split('::');
  const before = toGroups(head);
  const after = toGroups(tail ?? '');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => 0);
  return tail === undefined ? before : [...before, ...zeros, ...after];
}

function toGroups(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function toIpv4(high: number | undefined, low: number | undefined): string {
  return [(high ?? 0) >> 8, (high ?? 0) & 0xff, (low ?? 0) >> 8, (low ?? 0) & 0xff].join('.');
}

function startsWith(groups: readonly number[], prefix: readonly number[]): boolean {
  return prefix.every((group, index) => groups[index] === group);
}
