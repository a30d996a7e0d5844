import { denial } from '../../../core/decision.ts';
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
  const { certificate } = request.connection;
  if (certificate === undefined) return missing;
  const der = readCertificateText(certificate);
  if (der === undefined) return unreadable;
  return isSameBytes(thumbprintOf(der), bound) ? undefined : other;
};

const malformed = denial('token_binding', 'The x5t#S256 of the token is no SHA-256 thumbprint.');
const missing = denial(
  'token_binding',
  'The token is bound to a client certificate and the connection shows none to Portcullis.',
);
const unreadable = denial('token_binding', 'The certificate of the connection cannot be read.');
const other = denial('token_binding', 'The token is bound to another client certificate.');
