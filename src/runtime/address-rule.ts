import { classifyAddress } from '../std/classify-address.ts';
import { canonicalIp, compileAddressSet, type AddressSet } from '../std/ip.ts';

export interface AddressRule {
  /** Undefined: the address may be dialled with this protocol; else why not. */
  refuse(address: string, protocol: 'http:' | 'https:'): string | undefined;
}

/** Compiles the rule: private addresses where all or these are allowed; cleartext only to a private address. */
export function compileAddressRule(options: {
  readonly allowPrivateAddresses: boolean;
  /** CIDRs of private addresses that are allowed. */
  readonly allowedAddresses: readonly string[];
}): AddressRule {
  const allowed: AddressSet = compileAddressSet(options.allowedAddresses);
  return {
    refuse(address, protocol) {
      switch (classifyAddress(address)) {
        case 'never':
          return 'is never called';
        case 'private':
          return options.allowPrivateAddresses || allowed.has(canonicalIp(address) ?? '::')
            ? undefined
            : 'is private, and the configuration does not allow it';
        case 'public':
          return protocol === 'https:' ? undefined : 'is public, and is called over https only';
      }
    },
  };
}
