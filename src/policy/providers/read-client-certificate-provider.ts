import type { ClientCertificateShape } from '../document-shape.ts';
import { quote, type FieldPath, type ProblemList } from '../problem-list.ts';
import type { ClientCertificateProviderSpec } from '../provider-spec.ts';
import type { ProviderHead } from './provider-head.ts';

const at: FieldPath = ['spec', 'clientCertificate'];
/** SPIFFE-ID 2.1: what a trust domain may hold. */
const trustDomain = /^[a-z0-9._-]{1,255}$/;

/** Reads `clientCertificate`. Where the list gets an error, what is returned is not to be used. */
export function readClientCertificateProvider(
  { kind, namespace, name, materials }: ProviderHead,
  { source, caRef, crlRef, spiffe }: ClientCertificateShape,
  problems: ProblemList,
): ClientCertificateProviderSpec {
  if (source === 'Certificate' && caRef === undefined)
    problems.error('missing-field', at, 'source Certificate needs the field caRef: whose certificates are good');
  if (source === 'ValidatedPrincipal' && caRef !== undefined)
    problems.error('invalid-value', [...at, 'caRef'], 'source ValidatedPrincipal has no caRef: the proxy validates');
  if (crlRef !== undefined && caRef === undefined)
    problems.error(
      'invalid-value',
      [...at, 'crlRef'],
      'crlRef stands only beside caRef: its authorities sign the list',
    );
  for (const [index, domain] of (spiffe?.trustDomains ?? []).entries()) {
    if (!trustDomain.test(domain))
      problems.error(
        'invalid-value',
        [...at, 'spiffe', 'trustDomains', index],
        `${quote(domain)} is no trust domain: lower-case letters, digits and . _ -, without spiffe:// before it`,
      );
  }
  return {
    kind,
    type: 'ClientCertificate',
    namespace,
    name,
    source,
    ca: caRef && { namespace: materials, ...caRef },
    crl: crlRef && { namespace: materials, ...crlRef },
    spiffe,
  };
}
