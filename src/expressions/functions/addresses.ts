import { canonicalIp, compileAddressSet, parseCidr } from '../../std/ip.ts';
import { Fault } from '../values/fault.ts';
import { spend, type Meter } from '../values/meter.ts';
import { CidrValue, IpValue } from '../values/value.ts';
import { binary, method, plain, unary } from './definition.ts';

const notAnAddress = new Fault('value', 'the text is no IP address');
const notARange = new Fault(
  'value',
  'the text is no range of addresses such as 10.0.0.0/8, or has bits behind its prefix',
);

/** Addresses and ranges; IPv4-mapped IPv6 is IPv4. A range out of a literal is compiled when the expression is read. */
export const addressFunctions = [
  plain(
    'ip',
    'net.IP',
    unary('string', (text, meter) => readIp(text, meter)),
  ),
  plain(
    'isIP',
    'bool',
    unary('string', (text, meter) => spend(meter, 20) ?? canonicalIp(text) !== undefined),
  ),
  plain(
    'cidr',
    'net.CIDR',
    unary('string', (text, meter) => {
      const over = spend(meter, 300);
      if (over !== undefined) return over;
      if (parseCidr(text) === undefined) return notARange;
      const set = compileAddressSet([text]);
      return new CidrValue(text, (address) => set.has(address));
    }),
  ),
  plain(
    'isCIDR',
    'bool',
    unary('string', (text, meter) => spend(meter, 50) ?? parseCidr(text) !== undefined),
  ),
  method(
    'containsIP',
    'bool',
    binary('cidr', 'ip', (range, { address }, meter) => spend(meter, 50) ?? range.contains(address)),
  ),
  method(
    'containsIP',
    'bool',
    binary('cidr', 'string', (range, text, meter) => {
      const read = spend(meter, 50) ?? readIp(text, meter);
      return read instanceof Fault ? read : range.contains(read.address);
    }),
  ),
  method(
    'family',
    'int',
    unary('ip', ({ address }) => (address.includes(':') ? 6n : 4n)),
  ),
];

function readIp(text: string, meter: Meter): IpValue | Fault {
  const over = spend(meter, 20);
  if (over !== undefined) return over;
  const address = canonicalIp(text);
  return address === undefined ? notAnAddress : new IpValue(address);
}
