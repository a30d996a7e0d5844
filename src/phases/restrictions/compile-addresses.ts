import { denial, type Denial } from '../../core/decision.ts';
import type { AddressesSpec } from '../../policy/spec.ts';
import { compileAddressSet } from '../../std/ip.ts';

/** Judges a client's address (canonical form); undefined: no objection. An unknown address is refused by every restriction (S31). */
export type AddressTest = (clientIp: string | undefined) => Denial | undefined;

const unknown = denial('address_denied', 'The address of the client is not known, and the rule restricts addresses.');
const refused = denial('address_denied', 'The address of the client is not allowed.');

/** Compiles `addresses`: those denied are refused, and where some are allowed all others are. */
export function compileAddresses(spec: AddressesSpec): AddressTest {
  const denied = compileAddressSet(spec.deny);
  const allowed = spec.allow.length === 0 ? undefined : compileAddressSet(spec.allow);
  return (clientIp) => {
    if (clientIp === undefined) return unknown;
    if (denied.has(clientIp)) return refused;
    return allowed === undefined || allowed.has(clientIp) ? undefined : refused;
  };
}
