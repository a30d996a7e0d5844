import { denial, type Denial } from '../../../core/decision.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { ClientCertificateProviderSpec } from '../../../policy/provider-spec.ts';
import { parseSpiffeId } from '../../../std/spiffe-id.ts';
import type { VerifyResult } from '../identity-provider.ts';

/** What is known of somebody who presented a certificate. */
export interface Presented {
  /** URIs, DNS names, and the subject as RFC 2253 writes it; empty where it is not known. */
  readonly uri: readonly string[];
  readonly dns: readonly string[];
  readonly subject: string;
  readonly claims: JsonObject;
  /** Who issued it, as RFC 2253 writes it; empty where that is not known. */
  readonly issuer: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number | undefined;
}

/** Compiles who somebody is: the SPIFFE id where the provider asks for one, else the first URI, the first DNS name, the subject. */
export function compileIdentity({
  name,
  spiffe,
}: ClientCertificateProviderSpec): (presented: Presented) => VerifyResult {
  const trustDomains = spiffe && new Set(spiffe.trustDomains);
  return (presented) => {
    const named = trustDomains === undefined ? readName(presented) : readSpiffe(presented, trustDomains);
    if ('denial' in named) return named;
    return {
      identity: Object.freeze({
        authenticated: true,
        subject: named.subject,
        issuer: presented.issuer,
        provider: name,
        clientId: '',
        scopes: none,
        roles: none,
        claims: Object.freeze({ ...presented.claims, ...named.claims }),
        expiresAt: presented.expiresAt,
      }),
    };
  };
}

const none: readonly string[] = Object.freeze([]);

type Named = { readonly subject: string; readonly claims: JsonObject } | { readonly denial: Denial };

/** What a log, a header or a comparison could read as something else. */
const unsafe = /[\p{Cc}\uFFFD]/u;

function readName({ uri, dns, subject }: Presented): Named {
  const name = uri[0] ?? dns[0] ?? subject;
  if (name === '') return { denial: nameless };
  return unsafe.test(name) ? { denial: unreadable } : { subject: name, claims: {} };
}

/** X509-SVID section 2: one URI, which is the id. */
function readSpiffe({ uri: [first = '', ...others] }: Presented, trustDomains: ReadonlySet<string>): Named {
  const id = others.length > 0 ? undefined : parseSpiffeId(first);
  if (id === undefined) return { denial: noSpiffeId };
  if (!trustDomains.has(id.trustDomain)) return { denial: otherDomain };
  const [ns, namespace = '', sa, serviceAccount = '', ...rest] = id.segments;
  const isWorkload = ns === 'ns' && sa === 'sa' && id.segments.length === 4 && rest.length === 0;
  const { trustDomain } = id;
  return { subject: first, claims: isWorkload ? { trustDomain, namespace, serviceAccount } : { trustDomain } };
}

const nameless = denial('certificate_name', 'The client certificate names nobody.');
const unreadable = denial(
  'certificate_name',
  'The name in the client certificate has a control character or is not text.',
);
const noSpiffeId = denial('certificate_name', 'The client certificate does not name exactly one SPIFFE id.');
const otherDomain = denial('certificate_name', 'The SPIFFE id of the client certificate is of another trust domain.');
