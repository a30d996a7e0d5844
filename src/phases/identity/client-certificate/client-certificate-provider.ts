import { denial } from '../../../core/decision.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import { textKey, type ProviderMaterial } from '../../../policy/providers/provider-material.ts';
import type { ClientCertificateProviderSpec, ConfigMapKey } from '../../../policy/provider-spec.ts';
import { specKey } from '../../../policy/spec-name.ts';
import { compileTrust, type Trust } from '../../../std/x509/compile-trust.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import type { PeerProvider, ProviderStatus } from '../identity-provider.ts';
import { compileCertificateJudge, type CertificateJudge } from './compile-certificate-judge.ts';
import { compileIdentity } from './compile-identity.ts';
import { compileSource, type Judges } from './compile-source.ts';

/** A provider of type ClientCertificate at work. Without the authorities that it refers to it refuses every certificate. */
export function createClientCertificateProvider(
  spec: ClientCertificateProviderSpec,
  material: ProviderMaterial,
  { clock, logger }: IdentityPorts,
): PeerProvider {
  const { trust, problems } = prepareTrust(spec, material);
  const identify = compileIdentity(spec);
  const believed = compileCertificateJudge(spec.source === 'ValidatedPrincipal' ? handshake : validated, identify);
  const judges: Judges = {
    identify,
    isNamed: spec.spiffe !== undefined,
    isVerified: spec.ca !== undefined,
    judge: spec.ca === undefined ? believed : trust ? compileCertificateJudge(trust, identify) : denyAll,
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

/** What a proxy validated: its names are read, and nothing else of it is verified. */
const handshake: Pick<Trust, 'judge'> = {
  judge: () => ({ kind: 'trusted', from: -Infinity, until: Infinity }),
};
/** As `handshake`, and it must be valid now: the connection to that proxy is not ours. */
const validated: Pick<Trust, 'judge'> = {
  judge: ({ notBefore, notAfter }, now) => {
    if (now < notBefore) return { kind: 'refused', why: 'not-yet-valid' };
    return now > notAfter ? { kind: 'refused', why: 'expired' } : { kind: 'trusted', from: notBefore, until: notAfter };
  },
};
