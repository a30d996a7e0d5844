import { isJsonObject, type JsonValue } from '../core/json.ts';
import { rawHeaders } from '../canonical/raw-headers.ts';
import type { RawHeader, RawRequest } from '../core/request.ts';
import type { TokenCheck } from '../core/token-inspection.ts';
import { createOfflineEngine } from '../engine/offline-engine.ts';
import type { CredentialPlace, SharedSecretJwtProviderSpec } from '../policy/provider-spec.ts';
import type { AuthorDocument } from '../policy/spec.ts';
import { offlinePorts } from './offline-ports.ts';

/**
 * What a provider of HMAC tokens says to a token, with the secrets that stand in the documents: an engine with nothing but these is asked, so
 * that the token is judged as serving would. Nothing of a secret is in the answer.
 */
export async function judgeHmacToken(
  provider: SharedSecretJwtProviderSpec,
  token: string,
  documents: readonly AuthorDocument[],
): Promise<readonly TokenCheck[]> {
  const engine = createOfflineEngine(
    { trustedHops: 0, maxHeaders: 10, serviceNamespace: 'portcullis', hostGrants: 'unknown', ownedHeaders: [] },
    { kind: 'documents' },
    offlinePorts,
  );
  try {
    const own = documents.filter(({ value }) => isOf(provider, value));
    await engine.apply({ documents: [...own, policyOf(provider)], problems: [], unreadable: new Set() });
    const decision = await engine.check(requestWith(token, provider.from[0]));
    if (decision.kind === 'allow') return [{ check: 'token', verdict: 'passed', code: undefined, message: undefined }];
    const { code, message } = decision.denial;
    const [status] = engine.status().providers;
    const why = status?.lastError === undefined ? message : `${message} (${status.lastError})`;
    return [{ check: 'token', verdict: 'refused', code, message: why }];
  } finally {
    engine.close();
  }
}

/** The provider's own document, and Secrets. */
function isOf({ kind, name, namespace }: SharedSecretJwtProviderSpec, value: JsonValue): boolean {
  if (!isJsonObject(value)) return false;
  const { metadata } = value;
  if (value['kind'] === 'Secret') return true;
  if (value['kind'] !== kind || !isJsonObject(metadata) || metadata['name'] !== name) return false;
  return namespace === '' || (metadata['namespace'] ?? 'default') === namespace;
}

const host = 'token.portcullis.invalid';

function policyOf({ kind, name, namespace }: SharedSecretJwtProviderSpec): AuthorDocument {
  const matches = [{ path: { type: 'PathPrefix', value: '/' } }];
  return {
    source: 'portcullis token',
    problems: [],
    placeOf: () => ({ source: 'portcullis token', line: undefined, column: undefined }),
    value: {
      apiVersion: 'portcullis.dev/v1alpha1',
      kind: 'AccessPolicy',
      metadata: { name: 'token', namespace: namespace === '' ? 'default' : namespace },
      spec: {
        hosts: [host],
        authentication: { providers: [{ kind, name }] },
        rules: [{ name: 'all', matches, access: 'Authenticated' }],
      },
    },
  };
}

function requestWith(token: string, place: CredentialPlace | undefined): RawRequest {
  const header = (name: string, value: string): readonly RawHeader[] => [{ name, value, isText: true }];
  const inHeader =
    place?.in === 'header'
      ? header(place.name, place.scheme === undefined ? token : `${place.scheme} ${token}`)
      : place?.in === 'cookie'
        ? header('cookie', `${place.name}=${token}`)
        : [];
  return {
    kind: 'http',
    method: 'GET',
    target: place?.in === 'query' ? `/?${place.name}=${token}` : '/',
    host,
    scheme: 'https',
    protocol: 'HTTP/1.1',
    headers: rawHeaders(inHeader),
    duplicates: 'separate',
    peerAddress: undefined,
    peerPrincipal: '',
    peerCertificate: '',
    contextExtensions: new Map(),
    route: undefined,
  };
}
