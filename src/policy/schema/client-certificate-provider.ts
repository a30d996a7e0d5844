import { certificateSources } from '../provider-spec.ts';
import { guard, list, oneOf, restriction, text, type Schema } from './json-schema.ts';
import { configMapRef } from './references.ts';

/** `clientCertificate` of a provider of type ClientCertificate. */
export const clientCertificate: Schema = guard(
  'With type ClientCertificate: who presents a certificate to the proxy. It is the peer of a policy, never one of its providers.',
  {
    source: oneOf(
      'ValidatedPrincipal: the name that the proxy sends; you declare that its listener requires and validates client certificates. Certificate: the certificate that the proxy sends, verified by us against caRef. ForwardedCertificate: what a proxy before it says in x-forwarded-client-cert, where the operator lets that one (forwardedClientCertFrom).',
      certificateSources,
    ),
    caRef: configMapRef(
      'A ConfigMap that holds the PEM certificates of the authorities, those in between among them. With Certificate, and with ForwardedCertificate where the certificate itself is passed on and is to be verified.',
    ),
    crlRef: configMapRef(
      'A ConfigMap that holds PEM lists of revoked certificates (X509 CRL) of these authorities. While the list of an issuer is missing or past its nextUpdate, its certificates are denied with 503.',
    ),
    spiffe: restriction(
      'The identity is a SPIFFE id; claims trustDomain, and namespace and serviceAccount where it is of the form ns/sa.',
      {
        trustDomains: list('The trust domains, compared exactly.', text('A trust domain, as cluster.local.', 255), 32),
      },
      { required: ['trustDomains'] },
    ),
  },
  {
    required: ['source'],
    validations: [
      {
        rule: "self.source != 'Certificate' || has(self.caRef)",
        message: 'source Certificate needs caRef',
      },
      {
        rule: "self.source != 'ValidatedPrincipal' || !has(self.caRef)",
        message: 'source ValidatedPrincipal has no caRef: the proxy validates',
      },
      { rule: '!has(self.crlRef) || has(self.caRef)', message: 'crlRef stands only beside caRef' },
    ],
  },
);
