import type { IssuerMessage, Receipt } from '../../../core/issuer-message.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import type { EventReceiverSpec, JwtProviderSpec } from '../../../policy/provider-spec.ts';
import { specKey } from '../../../policy/spec-name.ts';
import { isSameSecret } from '../../../std/same-secret.ts';
import type { IdentityPorts } from '../identity-ports.ts';
import { createProviderKeys, type KeyMaterial } from '../jwt/create-provider-keys.ts';
import type { KeyCache } from '../jwt/key-cache.ts';
import { compileTokenRules, type TokenRules } from '../jwt/token-rules.ts';
import { judgeLogoutToken } from './judge-logout-token.ts';
import { judgeSecurityEvent } from './judge-security-event.ts';
import { readEventToken, refuse, type EventTokenRules } from './read-event-token.ts';

/** What the receiver of events refers to, resolved; undefined where it is missing. */
export interface EventMaterial extends KeyMaterial {
  readonly authorization: string | undefined;
}

/** Takes the messages that a provider's document asks for. */
export interface IssuerReceiver {
  /** Never rejects. */
  receive(message: IssuerMessage): Promise<Receipt>;
  /** Why its own keys or its secret cannot be had, and what of that it refers to and cannot use; undefined where all is well. */
  faults(): { readonly failure: string | undefined; readonly unusable: string | undefined };
  close(): void;
}

interface ReceiverParts {
  readonly spec: JwtProviderSpec;
  readonly keys: KeyCache;
  readonly ports: IdentityPorts;
  readonly rules: TokenRules;
}

/** Undefined where the document asks for nothing. `keys` are those of the provider. */
export function createIssuerReceiver(
  spec: JwtProviderSpec,
  keys: KeyCache,
  material: EventMaterial | undefined,
  ports: IdentityPorts,
): IssuerReceiver | undefined {
  if (spec.logout === undefined && spec.events === undefined) return undefined;
  const parts: ReceiverParts = { spec, keys, ports, rules: compileTokenRules(spec) };
  const receiveLogout = spec.logout && compileLogout(parts, new Set(spec.logout.audiences));
  const eventKeys = spec.events && keysOfEvents(spec.events, material, parts);
  const receiveEvents = spec.events && eventKeys && compileEvents(spec.events, eventKeys, material, parts);
  return {
    receive: async (message) => {
      const receive = message.kind === 'logout' ? receiveLogout : receiveEvents;
      if (receive === undefined) return refuse('not_found', 'The provider takes no such messages.');
      try {
        return await receive(message);
      } catch (thrown) {
        ports.logger.error(
          { provider: specKey(spec), ...thrownFields(thrown) },
          'a message of an issuer could not be judged',
        );
        return refuse('unavailable', 'The message could not be judged.');
      }
    },
    faults: () => {
      const own = eventKeys === undefined || eventKeys === keys ? undefined : eventKeys.status();
      const secret = faultOfSecret(spec.events, material);
      return { failure: joined(own?.lastError, secret), unusable: joined(own?.unusable, secret) };
    },
    close: () => {
      if (eventKeys !== keys) eventKeys?.close();
    },
  };
}

function joined(...texts: readonly (string | undefined)[]): string | undefined {
  const all = texts.filter((text) => text !== undefined);
  return all.length === 0 ? undefined : all.join('; ');
}

/** Without it every delivery is turned away. */
function faultOfSecret(events: EventReceiverSpec | undefined, material: EventMaterial | undefined): string | undefined {
  const ref = events?.authorization;
  if (ref === undefined || (material?.authorization?.trim() ?? '') !== '') return undefined;
  return `the Secret ${ref.namespace}/${ref.name} or its key ${ref.key} is missing or empty`;
}

type Receive = (message: IssuerMessage) => Promise<Receipt>;

/** Issuers that do not type logout tokens call them `JWT` or nothing; what they are their `events` say. */
const logoutTypes: ReadonlySet<string | undefined> = new Set([undefined, 'jwt', 'logout+jwt']);
/** RFC 8417 2.3: nothing else can be taken for one, nor one for something else. */
const eventTypes: ReadonlySet<string | undefined> = new Set(['secevent+jwt']);

function compileLogout({ spec, keys, ports, rules }: ReceiverParts, audiences: ReadonlySet<string>): Receive {
  const expected: EventTokenRules = { token: { ...rules, audiences }, types: logoutTypes };
  return async ({ token: text }) => {
    const now = ports.clock.now() / 1000;
    const token = await readEventToken(text, expected, keys, { maxBytes: ports.settings.maxTokenBytes, now });
    return 'error' in token ? token : judgeLogoutToken(token, spec.clockSkew, now);
  };
}

/** A delivery that comes again is taken again (RFC 8935 section 2): what it asks for is so already, and nothing older overrides it. */
function compileEvents(
  { issuer, audiences, authorization }: EventReceiverSpec,
  keys: KeyCache,
  material: EventMaterial | undefined,
  { spec, ports, rules }: ReceiverParts,
): Receive {
  const expected: EventTokenRules = { token: { ...rules, issuer, audiences: new Set(audiences) }, types: eventTypes };
  return async (message) => {
    if (authorization !== undefined) {
      const secret = material?.authorization?.trim() ?? '';
      if (secret === '') return refuse('unavailable', 'The secret of the receiver is missing.');
      if (message.authorization === undefined || !isSameSecret(message.authorization, secret))
        return refuse('authentication_failed', 'The Authorization header is not the one that is expected here.');
    }
    const now = ports.clock.now() / 1000;
    const token = await readEventToken(message.token, expected, keys, { maxBytes: maxEventBytes, now });
    return 'error' in token ? token : judgeSecurityEvent(token, spec.issuer, spec.clockSkew, now);
  };
}

const maxEventBytes = 65_536;

function keysOfEvents(
  { issuer, keys: source, ca }: EventReceiverSpec,
  material: EventMaterial | undefined,
  { spec, keys, ports, rules }: ReceiverParts,
): KeyCache {
  if (source === undefined) return keys;
  const found: KeyMaterial = { keysText: material?.keysText, ca: material?.ca };
  return createProviderKeys({ ...spec, issuer, keys: source, ca }, found, rules.algorithms, ports, () => undefined);
}
