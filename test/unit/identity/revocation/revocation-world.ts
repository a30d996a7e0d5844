import { afterEach } from 'vitest';
import type { Identity } from '../../../../src/core/identity.ts';
import type { SharedList, SharedListChange } from '../../../../src/core/ports.ts';
import type { Revocation, RevocationListHandle, RevocationListReading } from '../../../../src/core/revocation.ts';
import {
  defaultRevocationSettings,
  type RevocationSettings,
} from '../../../../src/phases/identity/revocation/revocation-settings.ts';
import {
  createRevocations,
  type RevocableSpec,
  type Revocations,
} from '../../../../src/phases/identity/revocation/revocations.ts';
import type { Steps } from '../../../../src/std/steps.ts';
import { issuer, manualTime, recordingLog, startSeconds, verdictOf, type ManualTime } from '../identity-fixtures.ts';

export const provider = { namespace: 'shop', name: 'okta' };
export const ofIssuer = { issuer, namespace: '', provider: '' };

export function identityOf(changes: Partial<Identity> = {}): Identity {
  return {
    authenticated: true,
    subject: 'alice',
    issuer,
    provider: 'okta',
    clientId: 'web',
    scopes: [],
    roles: [],
    claims: {
      sub: 'alice',
      jti: 'token-1',
      sid: 'session-1',
      iat: startSeconds,
      email: 'Alice@acme.example',
    },
    expiresAt: startSeconds + 600,
    ...changes,
  };
}

export function revocationOf(changes: Partial<Revocation>): Revocation {
  return {
    scope: ofIssuer,
    target: 'sub',
    value: 'alice',
    issuedBefore: undefined,
    expiresAt: startSeconds + 600,
    ...changes,
  };
}

export function readingOf(entries: readonly Revocation[], problem?: string): Steps<RevocationListReading> {
  const read = function* (): Steps<RevocationListReading> {
    yield;
    return { entries, problem };
  };
  return read();
}

/** Where nobody else waits, it is in force at once. */
export function give(list: RevocationListHandle, entries: readonly Revocation[], problem?: string): void {
  void list.take(readingOf(entries, problem));
}

const open: Revocations[] = [];
afterEach(() => open.splice(0).forEach((revocations) => revocations.close()));

export interface World {
  readonly revocations: Revocations;
  readonly time: ManualTime;
  readonly log: ReturnType<typeof recordingLog>;
  /** What becomes of the identity, as the provider vouches for it. */
  readonly verdict: (identity?: Partial<Identity>, of?: RevocableSpec) => string;
}

export interface WorldParts {
  readonly shared?: SharedList;
  readonly time?: ManualTime;
  readonly pause?: () => Promise<void>;
}

export function createWorld(
  settings: Partial<RevocationSettings> = {},
  { shared, pause, time = manualTime() }: WorldParts = {},
): World {
  const log = recordingLog();
  const revocations = createRevocations(
    { ...defaultRevocationSettings, ...settings },
    { ...time, logger: log, shared, pause },
  );
  open.push(revocations);
  return {
    revocations,
    time,
    log,
    verdict: (identity, of = provider) => verdictOf(revocations.reviewer(of)({ identity: identityOf(identity) })),
  };
}

export interface Store {
  down: string | undefined;
  list(): SharedList;
}

/** What several processes share. */
export function createStore(among: SharedList['among'] = 'replicas'): Store {
  const entries = new Map<string, number>();
  const listeners = new Set<(change: SharedListChange) => void>();
  const store: Store = {
    down: undefined,
    list: () => ({
      among,
      maxEntries: 1000,
      entries,
      add: async (entry, expiresAt) => {
        if (store.down !== undefined) throw new Error(store.down);
        entries.set(entry, expiresAt);
        for (const listener of listeners) listener({ added: [entry], ended: [] });
      },
      unreadable: () => store.down,
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      close: () => undefined,
    }),
  };
  return store;
}
