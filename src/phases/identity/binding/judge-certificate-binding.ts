import { denial, type Denial } from '../../../core/decision.ts';
import type { Connection } from '../../../core/request.ts';
import { decodeBase64url } from '../../../std/base64url.ts';
import { isSameBytes } from '../../../std/is-same-bytes.ts';
import { readCertificateText } from '../../../std/x509/read-certificate-text.ts';
import { thumbprintOf } from '../../../std/x509/thumbprint.ts';
import type { ConfirmationJudge } from './judge-binding.ts';

/**
 * RFC 8705 section 3: the SHA-256 of the certificate that the client showed must be the one that the token names. Whether the certificate
 * itself is good makes no difference: the client proved in the TLS handshake that it has its key.
 */
export const judgeCertificateBinding: ConfirmationJudge = (member, { request }) => {
  const bound = typeof member === 'string' ? decodeBase64url(member) : undefined;
  if (bound?.length !== 32) return malformed;
  const shown = thumbprintOfHolder(request.connection);
  if (!(shown instanceof Uint8Array)) return shown;
  return isSameBytes(shown, bound) ? undefined : other;
};

/**
 * Of the certificate that the holder of the token showed: to the proxy that asks, or to one before it that is believed about its clients.
 * The certificate of that one itself is nobody's proof.
 */
function thumbprintOfHolder({ certificate, forwarded }: Connection): Uint8Array | Denial {
  if (forwarded?.kind === 'absent') return missing;
  if (forwarded?.kind === 'refused' && forwarded.why === 'malformed') return unreadable;
  if (forwarded?.kind === 'found') return Buffer.from(forwarded.hash, 'hex');
  if (certificate === undefined) return missing;
  const der = readCertificateText(certificate);
  return der === undefined ? unreadable : thumbprintOf(der);
}

const malformed = denial('token_binding', 'The x5t#S256 of the token is no SHA-256 thumbprint.');
const missing = denial(
  'token_binding',
  'The token is bound to a client certificate and the connection shows none to Portcullis.',
);
const unreadable = denial('token_binding', 'The certificate of the connection cannot be read.');
const other = denial('token_binding', 'The token is bound to another client certificate.');
