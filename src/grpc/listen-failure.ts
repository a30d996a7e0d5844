import { Failure } from '../core/failure.ts';
import { codeOf } from '../std/listen.ts';
import { parseSocketAddress } from '../std/socket-address.ts';

/** Bytes that the path of a unix socket may have with its end behind it (sun_path of Linux). Node takes one more, which others cannot name. */
const maxPathBytes = 107;

/** What the operator is told where an address cannot be bound: a Failure with a code for each cause. */
export function listenFailure(address: string, cause: unknown): Failure {
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return new Failure('address_in_use', `${address} is in use: another process listens there.`, { cause });
    case 'ENOTSOCK':
      return new Failure('address_in_use', `${address} is in use: the path is there and is not a socket.`, { cause });
    case 'EACCES':
    case 'EPERM':
      return new Failure('address_forbidden', `${address} may not be bound by this user, or its folder is not there.`, {
        cause,
      });
    default:
      return new Failure('address_unavailable', `${address} cannot be bound${whyNot(address, cause)}.`, { cause });
  }
}

function whyNot(address: string, cause: unknown): string {
  const parsed = parseSocketAddress(address);
  const bytes = parsed?.kind === 'unix' ? Buffer.byteLength(parsed.path) : 0;
  return bytes > maxPathBytes
    ? `: its path has ${bytes} bytes, and that of a socket may have ${maxPathBytes}`
    : ` (${codeOf(cause) || 'unknown error'})`;
}

export function invalidAddress(address: string): Failure {
  return new Failure('address_invalid', `${JSON.stringify(address)} is not an address: host:port or unix:PATH.`);
}
