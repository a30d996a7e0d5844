import { denial, type Denial } from '../../../core/decision.ts';
import type { ReasonCode } from '../../../core/reason.ts';
import { createBoundedCache, type BoundedCache } from '../../../std/bounded-cache.ts';
import { readCertificateText } from '../../../std/x509/read-certificate-text.ts';
import { parseCertificate, type Certificate } from '../../../std/x509/certificate.ts';
import type { Trust, TrustRefusal } from '../../../std/x509/compile-trust.ts';
import { thumbprintOf } from '../../../std/x509/thumbprint.ts';
import type { VerifyResult } from '../identity-provider.ts';
import type { Presented } from './compile-identity.ts';

/** Judges a certificate as a proxy sends it; `now` in milliseconds since the epoch. */
export type CertificateJudge = (text: string, now: number) => VerifyResult;

interface Verified {
  readonly result: VerifyResult;
  readonly from: number;
  readonly until: number;
}

const limits = { maxEntries: 2000, maxBytes: 16 * 1024 * 1024 };

/**
 * Compiles the judge of certificates. One that was good is found by its whole text, until it, an authority above it or the list of revoked
 * ones ends; with other authorities or another list there is another judge.
 */
export function compileCertificateJudge(
  trust: Pick<Trust, 'judge'>,
  identify: (presented: Presented) => VerifyResult,
): CertificateJudge {
  let cache: BoundedCache<Verified> | undefined;
  return (text, now) => {
    const known = cache?.get(text);
    if (known !== undefined && known.from <= now && now < known.until) return known.result;
    const verified = verify(text, trust, identify, now);
    if ('denial' in verified) return verified;
    cache ??= createBoundedCache<Verified>(limits);
    cache.set(text, verified, text.length + 4000);
    return verified.result;
  };
}

function verify(
  text: string,
  trust: Pick<Trust, 'judge'>,
  identify: (presented: Presented) => VerifyResult,
  now: number,
): Verified | { readonly denial: Denial } {
  const der = readCertificateText(text);
  const certificate = der && parseCertificate(der);
  if (certificate === undefined) return { denial: unreadable };
  const verdict = trust.judge(certificate, now);
  if (verdict.kind === 'refused') return { denial: refusals[verdict.why] };
  const result = identify(toPresented(certificate));
  return 'denial' in result ? result : { result, from: verdict.from, until: verdict.until };
}

function toPresented(certificate: Certificate): Presented {
  const { names, subject, issuer, serial, notAfter, der } = certificate;
  return {
    uri: names.uri,
    dns: names.dns,
    subject: subject.text,
    issuer: issuer.text,
    claims: {
      subject: subject.text,
      dns: names.dns,
      uri: names.uri,
      email: names.email,
      serial,
      fingerprint: Buffer.from(thumbprintOf(der)).toString('hex'),
    },
    expiresAt: Math.floor(notAfter / 1000),
  };
}

const unreadable = denial('certificate_invalid', 'The client certificate cannot be read.');

const refusals: Readonly<Record<TrustRefusal, Denial>> = {
  'not-for-clients': refusal('certificate_invalid', 'The certificate is not one for clients.'),
  weak: refusal('certificate_invalid', 'The key or the signature of the client certificate is too weak.'),
  'not-understood': refusal(
    'certificate_invalid',
    'The client certificate has a critical extension that is not supported.',
  ),
  untrusted: refusal('certificate_invalid', 'The client certificate is of no authority of the provider.'),
  expired: refusal('certificate_expired', 'The client certificate, or one above it, is past its end.'),
  'not-yet-valid': refusal('certificate_expired', 'The client certificate, or one above it, is not valid yet.'),
  revoked: refusal('certificate_revoked'),
  'revocation-unknown': refusal('revocation_unknown'),
};

function refusal(code: ReasonCode, message?: string): Denial {
  return denial(code, message);
}
