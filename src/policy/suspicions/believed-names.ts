import type { ProblemList } from '../problem-list.ts';
import type { ClientCertificateProviderSpec } from '../provider-spec.ts';

/** Warns of names of certificates that nobody but a proxy has looked at, and says which source shows them to us. */
export function warnOfBelievedNames({ source, ca }: ClientCertificateProviderSpec, problems: ProblemList): void {
  const at = ['spec', 'clientCertificate', 'source'];
  if (source === 'ValidatedPrincipal')
    problems.warning(
      'believed-names',
      at,
      'the proxy says one name of the certificate and not of which kind: a DNS name or a subject may spell the URI of somebody else, and only an authority that never issues such a one keeps that out; with include_peer_certificate the name must be the one URI (spiffe), and source Certificate verifies it all',
    );
  if (source === 'ForwardedCertificate' && ca === undefined)
    problems.warning(
      'believed-names',
      at,
      'the certificate that the proxy before forwards is not verified: that proxy has to validate it, and to pass it on (set_current_client_cert_details with cert), for without it nobody has a name but its hash; with caRef it is verified',
    );
}
