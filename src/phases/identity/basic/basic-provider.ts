import { denial, type Denial } from '../../../core/decision.ts';
import type { Identity } from '../../../core/identity.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import type { BasicProviderSpec } from '../../../policy/provider-spec.ts';
import { placesOf } from '../../../policy/providers/credential-forms.ts';
import { textKey, type ProviderMaterial } from '../../../policy/providers/provider-material.ts';
import { specKey } from '../../../policy/spec-name.ts';
import { createKeyedDigest, type KeyedDigest } from '../../../std/hmac.ts';
import { oneStep } from '../../../std/steps.ts';
import type { MessageProvider, VerifyResult } from '../identity-provider.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import { parseHtpasswd, type BasicUser, type Htpasswd } from './parse-htpasswd.ts';
import { createPasswordCache, type PasswordCache } from './password-cache.ts';
import { createPasswordQueue, type PasswordQueue } from './password-queue.ts';
import { readBasicCredentials, type BasicCredentials } from './read-basic-credentials.ts';

/** A provider of type Basic at work (RFC 7617). Without its Secret it refuses every password with 503. */
export function createBasicProvider(
  spec: BasicProviderSpec,
  material: ProviderMaterial,
  ports: IdentityPorts,
): MessageProvider {
  const { clock, passwords, random, settings, timers } = ports;
  const digest = createKeyedDigest(`${random.id()}${random.id()}`);
  const provider: ProviderParts = {
    spec,
    ports,
    digest,
    cache: createPasswordCache(clock, { maxEntries: settings.passwordCacheEntries, ttlMs: settings.passwordCacheMs }),
    queue: createPasswordQueue(passwords, timers, {
      maxRunning: settings.passwordsAtOnce,
      maxWaiting: settings.passwordsWaiting,
      maxPerUser: settings.passwordsOfOneUser,
      maxWaitMs: settings.passwordWaitMs,
    }),
    underWay: new Map(),
    known: undefined,
  };
  const read = ({ texts }: ProviderMaterial): (() => void) => {
    const text = texts.get(textKey({ ...spec.users, kind: 'Secret' }));
    const known = text === undefined ? undefined : toKnown(parseHtpasswd(text, provider.known?.users));
    return () => {
      provider.known = known;
      provider.cache.keepOnly(known?.users ?? new Map());
      // What is computed now is judged by the hashes of before: nobody who comes later shares its answer.
      provider.underWay.clear();
    };
  };
  read(material)();
  return {
    layer: 'message',
    spec,
    places: placesOf(spec),
    firstLoad: Promise.resolve(),
    verify: ({ token }) => verify(provider, token),
    status: () => {
      const faults = faultsOf(provider);
      return { keys: provider.known?.users.size ?? 0, keyAgeSeconds: undefined, lastError: faults, unusable: faults };
    },
    renew: (next) => oneStep(() => read(next)),
    close: () => provider.queue.close(),
  };
}

interface ProviderParts {
  readonly spec: BasicProviderSpec;
  readonly ports: IdentityPorts;
  readonly digest: KeyedDigest;
  readonly cache: PasswordCache;
  readonly queue: PasswordQueue;
  /** By digest: the same name and password, sent twice at the same time, are computed once. */
  readonly underWay: Map<string, Promise<VerifyResult>>;
  /** Undefined where the Secret or its key is missing. */
  known: KnownUsers | undefined;
}

interface KnownUsers extends Htpasswd {
  /** In their order, to take one of. */
  readonly list: readonly BasicUser[];
}

function toKnown(htpasswd: Htpasswd): KnownUsers {
  return { ...htpasswd, list: [...htpasswd.users.values()] };
}

function faultsOf({ spec: { users }, known }: ProviderParts): string | undefined {
  if (known === undefined)
    return `the Secret ${users.namespace}/${users.name} has no key ${users.key}, or is not there`;
  const faults = [known.users.size === 0 ? 'no user of it could log in' : undefined, known.faults]
    .filter((fault) => fault !== undefined)
    .join(': ');
  return faults === '' ? undefined : `the key ${users.key} of the Secret ${users.namespace}/${users.name}: ${faults}`;
}

function verify(provider: ProviderParts, token: string): VerifyResult | Promise<VerifyResult> {
  const { known, cache, ports, underWay } = provider;
  if (token.length > ports.settings.maxTokenBytes) return { denial: denial('token_too_large') };
  const credentials = readBasicCredentials(token);
  if ('why' in credentials) return { denial: denial('token_malformed', credentials.why) };
  if (known === undefined)
    return { denial: denial('keys_unavailable', 'The users of the provider could not be loaded.') };
  // A name holds no NUL, so no two pairs are one text.
  const digest = provider.digest(`${credentials.user}\0${credentials.password}`);
  const user = known.users.get(credentials.user);
  if (user !== undefined && cache.isRight(digest, user)) {
    ports.events.passwordCheck('remembered');
    return { identity: toIdentity(provider, user) };
  }
  const sameUnderWay = underWay.get(digest);
  if (sameUnderWay !== undefined) return sameUnderWay;
  const result = compute(provider, known, credentials, digest).finally(() => {
    if (underWay.get(digest) === result) underWay.delete(digest);
  });
  underWay.set(digest, result);
  return result;
}

async function compute(
  provider: ProviderParts,
  known: KnownUsers,
  { user: name, password }: BasicCredentials,
  digest: string,
): Promise<VerifyResult> {
  const { events, logger } = provider.ports;
  const user = known.users.get(name);
  // Somebody unknown costs what one of the known costs, the same one each time; what comes of it does not count.
  const judged = user ?? standInFor(provider.digest(name), known.list);
  if (judged === undefined) return { denial: rejected };
  try {
    const matches = await provider.queue.matches(name, judged.hash, password);
    if (matches === 'busy') {
      events.passwordCheck('busy');
      return { denial: denial('provider_busy') };
    }
    if (user === undefined || !matches || isCutOff(user, password)) {
      events.passwordCheck('wrong');
      return { denial: rejected };
    }
    // The Secret may have changed while this was computed: then nobody has said that the password is right.
    if (provider.known?.users.get(name) !== user) return { denial: rejected };
    provider.cache.remember(digest, user);
    events.passwordCheck('right');
    return { identity: toIdentity(provider, user) };
  } catch (thrown) {
    events.passwordCheck('failed');
    logger.error({ provider: specKey(provider.spec), ...thrownFields(thrown) }, 'a password could not be verified');
    return { denial: denial('internal_error') };
  }
}

const rejected: Denial = denial('password_rejected');

function standInFor(digest: string, list: readonly BasicUser[]): BasicUser | undefined {
  return list.length === 0 ? undefined : list[Buffer.from(digest, 'base64').readUInt32BE() % list.length];
}

/** bcrypt reads 72 bytes: beyond them any password would do. */
function isCutOff({ hash }: BasicUser, password: string): boolean {
  return hash.kind === 'bcrypt' && Buffer.byteLength(password) > 72;
}

function toIdentity({ spec }: ProviderParts, { name }: BasicUser): Identity {
  return {
    authenticated: true,
    subject: name,
    issuer: '',
    provider: spec.name,
    clientId: '',
    scopes: [],
    roles: [],
    claims: undefined,
    expiresAt: undefined,
  };
}
