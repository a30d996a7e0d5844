import type { IssuerMessage, Receipt } from '../core/issuer-message.ts';
import type { Revocation, RevocationControl, RevocationOutcome, RevocationScope, Signal } from '../core/revocation.ts';
import { specKey, type SpecName } from '../policy/spec-name.ts';
import { createBoundedCache } from '../std/bounded-cache.ts';

/** Takes a message of an issuer for a provider of that name. Never rejects. */
export type ReceiveMessage = (provider: SpecName, message: IssuerMessage) => Promise<Receipt>;

export interface ReceivingProviders {
  /** Hands a message to the provider of that key. */
  receive(key: string, message: IssuerMessage): Promise<Receipt>;
  /** The issuer of the tokens that the provider of that key judges. */
  issuerOf(key: string): string | undefined;
}

/**
 * What a message asks for is kept for the tokens of that issuer, whoever judges them, but of a provider of a namespace only within it: every
 * namespace may write a provider of any issuer. A message that may come only once counts as seen when it was kept, so that who is told to come
 * again may; what is forgotten of those seen does no harm, because once more they end nothing that they have not ended.
 */
export function createMessageReceiver(providers: ReceivingProviders, revocations: RevocationControl): ReceiveMessage {
  const seen = createBoundedCache<object>({ maxEntries: 10_000, maxBytes: 4_000_000 });
  return async (provider, message) => {
    const { namespace } = provider;
    const key = specKey({ kind: namespace === '' ? 'ClusterIdentityProvider' : 'IdentityProvider', ...provider });
    const receipt = await providers.receive(key, message);
    const issuer = providers.issuerOf(key);
    if (receipt.kind === 'refused' || issuer === undefined) return receipt;
    const once = receipt.onlyOnce === undefined ? undefined : `${key} ${receipt.onlyOnce}`;
    if (once !== undefined && seen.get(once) !== undefined) return seenBefore;
    const outcome = await keep(receipt, { issuer, namespace, provider: '' }, message.kind, revocations);
    if (outcome.kind !== 'kept') return { kind: 'refused', error: 'unavailable', description: notKept[outcome.kind] };
    if (once !== undefined) seen.set(once, receipt, once.length + 100);
    return receipt;
  };
}

const seenBefore: Receipt = { kind: 'refused', error: 'invalid_request', description: 'The token was seen before.' };

const notKept = {
  full: 'The list of revocations is full.',
  'not-shared': 'The revocation is not in force everywhere yet.',
} as const satisfies Record<Exclude<RevocationOutcome['kind'], 'kept'>, string>;

async function keep(
  receipt: Extract<Receipt, { readonly kind: 'understood' }>,
  scope: RevocationScope,
  source: IssuerMessage['kind'],
  revocations: RevocationControl,
): Promise<RevocationOutcome> {
  if (receipt.revocations.length === 0 && receipt.signals.length === 0)
    return { kind: 'kept', isShared: false, isWidened: false };
  const revoked = receipt.revocations.map((one): Revocation => ({ ...one, scope, expiresAt: undefined }));
  const signals = receipt.signals.map((one): Signal => ({ ...one, scope }));
  return revocations.add(source, revoked, signals);
}
