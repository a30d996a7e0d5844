import { denial, type Denial } from '../../../core/decision.ts';
import type { Connection, ForwardedCertificate } from '../../../core/request.ts';
import type { ClientCertificateProviderSpec } from '../../../policy/provider-spec.ts';
import type { VerifyResult } from '../identity-provider.ts';
import type { CertificateJudge } from './compile-certificate-judge.ts';
import type { Presented } from './compile-identity.ts';

/** How the certificates of a provider are judged, whoever tells them. */
export interface Judges {
  readonly identify: (presented: Presented) => VerifyResult;
  /** Whether there must be a SPIFFE id. */
  readonly isNamed: boolean;
  /** Whether the provider has authorities of its own; else a certificate is read, and the proxy is believed to have validated it. */
  readonly isVerified: boolean;
  readonly judge: CertificateJudge;
}

/** `now` in milliseconds since the epoch. */
export type SourceJudge = (connection: Connection, now: number) => VerifyResult;

/** Compiles who a provider of that source takes the peer of a connection for. */
export function compileSource(source: ClientCertificateProviderSpec['source'], judges: Judges): SourceJudge {
  switch (source) {
    case 'ValidatedPrincipal':
      return ({ principal, certificate }, now) => judgePrincipal(principal, certificate, judges, now);
    case 'Certificate':
      return ({ certificate, principal }, now) => {
        if (certificate !== undefined && judges.isVerified) return judges.judge(certificate, now);
        return principal === undefined ? absent : notSent;
      };
    case 'ForwardedCertificate':
      return ({ forwarded }, now) => judgeForwarded(forwarded, judges, now);
  }
}

/**
 * The proxy does not say what kind of name it is, and a DNS name may spell a SPIFFE id. Where it sends the certificate too, the name must be
 * the one URI in it.
 */
function judgePrincipal(
  principal: string | undefined,
  certificate: string | undefined,
  { identify, isNamed, judge }: Judges,
  now: number,
): VerifyResult {
  if (principal === undefined) return absent;
  if (isNamed && certificate !== undefined) {
    const named = judge(certificate, now);
    if ('denial' in named) return named;
    if (named.identity.subject !== principal) return otherName;
  }
  return identify(toPrincipal(principal));
}

function judgeForwarded(forwarded: ForwardedCertificate | undefined, judges: Judges, now: number): VerifyResult {
  switch (forwarded?.kind) {
    case undefined:
    case 'absent':
      return absent;
    case 'refused':
      return forwarded.why === 'malformed' ? malformed : notBelieved;
    case 'found': {
      const { certificate, hash: fingerprint } = forwarded;
      if (certificate === undefined)
        return judges.isVerified || judges.isNamed ? notSent : judges.identify(toFingerprint(fingerprint));
      const result = judges.judge(certificate, now);
      // The certificate is what the proxy's hash is of, and nobody else's.
      const isOther = 'identity' in result && result.identity.claims?.['fingerprint'] !== fingerprint;
      return isOther ? malformed : result;
    }
  }
}

/** Names that the proxy writes beside the hash may be forged, each by another: whoever's certificate is not there has none. */
function toFingerprint(fingerprint: string): Presented {
  return {
    uri: [],
    dns: [],
    subject: `sha256:${fingerprint}`,
    claims: { fingerprint },
    issuer: '',
    expiresAt: undefined,
  };
}

/** The proxy does not say what kind of name it is: a URI if it has that form can only be told from its text. */
function toPrincipal(principal: string): Presented {
  return { uri: [principal], dns: [], subject: '', claims: { principal }, issuer: '', expiresAt: undefined };
}

const refused = (
  code: 'credential_missing' | 'certificate_invalid' | 'certificate_name',
  message?: string,
): { readonly denial: Denial } => ({
  denial: denial(code, message),
});
const absent = refused('credential_missing', 'The client showed no certificate.');
const notSent = refused('certificate_invalid', 'The proxy does not pass the client certificate on.');
const otherName = refused(
  'certificate_name',
  'The name that the proxy sends is not the URI in the client certificate.',
);
const malformed = refused('certificate_invalid', 'The x-forwarded-client-cert header cannot be read.');
const notBelieved = refused(
  'certificate_invalid',
  'The x-forwarded-client-cert header comes from an address that may not send it.',
);
