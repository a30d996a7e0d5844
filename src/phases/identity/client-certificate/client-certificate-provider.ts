import { denial, type Denial } from '../../../core/decision.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import type { Connection, ForwardedCertificate } from '../../../core/request.ts';
import { textKey, type ProviderMaterial } from '../../../policy/providers/provider-material.ts';
import type { ClientCertificateProviderSpec, ConfigMapKey } from '../../../policy/provider-spec.ts';
import { specKey } from '../../../policy/spec-name.ts';
import { compileTrust, type Trust } from '../../../std/x509/compile-trust.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import type { PeerProvider, ProviderStatus, VerifyResult } from '../identity-provider.ts';
import { compileCertificateJudge, type CertificateJudge } from './compile-certificate-judge.ts';
import { compileIdentity, type Presented } from './compile-identity.ts';

/** A provider of type ClientCertificate at work. Without the authorities that it refers to it refuses every certificate. */
export function createClientCertificateProvider(
  spec: ClientCertificateProviderSpec,
  material: ProviderMaterial,
  { clock, logger }: IdentityPorts,
): PeerProvider {
  const { trust, problems } = prepareTrust(spec, material);
  const identify = compileIdentity(spec);
  const judges: Judges = {
    identify,
    verify: spec.ca === undefined ? undefined : trust ? compileCertificateJudge(trust, identify) : denyAll,
  };
  const judge = compileSource(spec.source, judges);
  const unusable = problems.length === 0 ? undefined : problems.join('; ');
  const status: ProviderStatus = {
    keys: trust?.authorities ?? 0,
    keyAgeSeconds: undefined,
    lastError: unusable,
    unusable,
    ...(spec.ca === undefined ? { isKeyless: true } : {}),
  };
  return {
    layer: 'peer',
    spec,
    firstLoad: Promise.resolve(),
    verifyPeer: ({ connection }) => {
      try {
        return judge(connection, clock.now());
      } catch (error) {
        logger.error({ provider: specKey(spec), ...thrownFields(error) }, 'a client certificate could not be judged');
        return { denial: denial('internal_error') };
      }
    },
    status: () => status,
    close: () => undefined,
  };
}

interface PreparedTrust {
  /** Undefined: there is no authority that could be used, or none is asked. */
  readonly trust: Trust | undefined;
  readonly problems: readonly string[];
}

function prepareTrust({ ca, crl }: ClientCertificateProviderSpec, { texts }: ProviderMaterial): PreparedTrust {
  if (ca === undefined) return { trust: undefined, problems: [] };
  const textOf = (ref: ConfigMapKey): string | undefined => texts.get(textKey({ ...ref, kind: 'ConfigMap' }));
  const authorities = textOf(ca);
  if (authorities === undefined) return { trust: undefined, problems: [missing(ca)] };
  const list = crl && textOf(crl);
  const trust = compileTrust(authorities, crl && { text: list });
  const problems = [...trust.problems, ...(crl !== undefined && list === undefined ? [missing(crl)] : [])];
  return { trust: trust.authorities === 0 ? undefined : trust, problems };
}

function missing(ref: ConfigMapKey): string {
  return `the ConfigMap ${specKey({ kind: '', ...ref }).trim()} or its key ${ref.key} is missing`;
}

const withoutAuthorities = {
  denial: denial('keys_unavailable', 'The authorities of client certificates could not be loaded.'),
};
const denyAll: CertificateJudge = () => withoutAuthorities;

interface Judges {
  readonly identify: (presented: Presented) => VerifyResult;
  /** Undefined where nothing is verified by us. */
  readonly verify: CertificateJudge | undefined;
}

type SourceJudge = (connection: Connection, now: number) => VerifyResult;

function compileSource(source: ClientCertificateProviderSpec['source'], { identify, verify }: Judges): SourceJudge {
  switch (source) {
    case 'ValidatedPrincipal':
      return ({ principal }) => (principal === undefined ? absent : identify(toPrincipal(principal)));
    case 'Certificate':
      return ({ certificate, principal }, now) => {
        if (certificate !== undefined && verify !== undefined) return verify(certificate, now);
        return principal === undefined ? absent : notSent;
      };
    case 'ForwardedCertificate':
      return ({ forwarded }, now) => judgeForwarded(forwarded, { identify, verify }, now);
  }
}

function judgeForwarded(forwarded: ForwardedCertificate | undefined, judges: Judges, now: number): VerifyResult {
  switch (forwarded?.kind) {
    case undefined:
    case 'absent':
      return absent;
    case 'refused':
      return forwarded.why === 'malformed' ? malformed : notBelieved;
    case 'found': {
      const { certificate, subject, uri, dns, hash: fingerprint } = forwarded;
      if (judges.verify !== undefined) {
        if (certificate === undefined) return notSent;
        const result = judges.verify(certificate, now);
        // A name that a client had put into its certificate may look like the certificate of somebody else; the hash stands before it.
        const isOther = 'identity' in result && result.identity.claims?.['fingerprint'] !== fingerprint;
        return isOther ? malformed : result;
      }
      const claims = { subject, dns, uri, fingerprint };
      return judges.identify({ uri, dns, subject, claims, issuer: '', expiresAt: undefined });
    }
  }
}

/** The proxy does not say what kind of name it is: a URI if it has that form can only be told from its text. */
function toPrincipal(principal: string): Presented {
  return { uri: [principal], dns: [], subject: '', claims: { principal }, issuer: '', expiresAt: undefined };
}

const refused = (
  code: 'credential_missing' | 'certificate_invalid',
  message?: string,
): { readonly denial: Denial } => ({
  denial: denial(code, message),
});
const absent = refused('credential_missing', 'The client showed no certificate.');
const notSent = refused('certificate_invalid', 'The proxy does not pass the client certificate on.');
const malformed = refused('certificate_invalid', 'The x-forwarded-client-cert header cannot be read.');
const notBelieved = refused(
  'certificate_invalid',
  'The x-forwarded-client-cert header comes from an address that may not send it.',
);
