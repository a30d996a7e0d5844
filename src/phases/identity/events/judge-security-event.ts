import type {
  IssuerRevocation,
  IssuerSignal,
  IssuerTarget,
  Receipt,
  ReceiptRefusal,
} from '../../../core/issuer-message.ts';
import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../../../core/json.ts';
import { eventTypes, streamEvents } from './event-types.ts';
import { refuse, type EventToken } from './read-event-token.ts';
import { readSubject, type EventSubject } from './read-subject.ts';

type Understood = Extract<Receipt, { readonly kind: 'understood' }>;

const maxEvents = 16;
/** A token is about one thing that happened: nobody fills the room of others with one delivery. */
const maxEffects = 64;
const nothing: Understood = {
  kind: 'understood',
  events: [],
  revocations: [],
  signals: [],
  state: undefined,
  onlyOnce: undefined,
};

/**
 * What a security event token (RFC 8417) asks for. Events of unknown types are taken and do nothing, as their senders expect; one of a type that
 * is known and whose subject or content cannot be used is refused, so that its sender learns that nobody acts on it. `issuer` is the one of the
 * tokens that subjects are of; `now` in seconds since the epoch.
 */
export function judgeSecurityEvent(token: EventToken, issuer: string, clockSkew: number, now: number): Receipt {
  const events = ownMember(token.claims, 'events');
  const entries = isJsonObject(events) ? Object.entries(events) : [];
  if (entries.length === 0 || entries.length > maxEvents)
    return refuse('invalid_request', `The events of the token are not 1 to ${maxEvents}.`);
  let all = nothing;
  for (const [type, event] of entries) {
    if (!isJsonObject(event)) return refuse('invalid_request', 'An event of the token is no object.');
    const one = judgeEvent(type, event, { token, issuer, latest: now + clockSkew });
    if (one.kind === 'refused') return one;
    all = join(all, one);
    if (all.revocations.length + all.signals.length > maxEffects)
      return refuse('invalid_request', `The events of the token name more than ${maxEffects} subjects together.`);
  }
  return all;
}

interface Context {
  readonly token: EventToken;
  readonly issuer: string;
  /** An event cannot have happened after this. */
  readonly latest: number;
}

function judgeEvent(type: string, event: JsonObject, { token, issuer, latest }: Context): Understood | ReceiptRefusal {
  const ofStream = streamEvents.get(type);
  if (ofStream !== undefined) return { ...nothing, events: [ofStream], state: stateOf(event) };
  const known = eventTypes.get(type);
  if (known === undefined) return { ...nothing, events: ['unknown'] };
  const at = timeOf(event, token);
  if (at === undefined || at > latest)
    return refuse('invalid_request', 'The event_timestamp is no date, or in the future.');
  const effect = known.read(event, at);
  if ('wrong' in effect) return refuse('invalid_request', `The event ${known.name} cannot be used: ${effect.wrong}`);
  if (!effect.revokes && Object.keys(effect.facts).length === 0) return { ...nothing, events: [known.name] };
  const read = readSubject(ownMember(token.claims, 'sub_id') ?? ownMember(event, 'subject'), issuer);
  if ('wrong' in read) return refuse('invalid_request', `The event ${known.name} cannot be used: ${read.wrong}`);
  return {
    ...nothing,
    events: [known.name],
    revocations: effect.revokes ? toRevocations(read.subject, at) : [],
    signals: toSignals(read.subject, { facts: effect.facts, at }),
  };
}

/** Of a session, and of tokens that do not say theirs; without one, of the users. What names one token ends it. */
function toRevocations({ users, sessions }: EventSubject, at: number): readonly IssuerRevocation[] {
  const issuedBefore = Math.floor(at) + 1;
  return [
    ...sessions.map((value) => ({ target: 'sid', value, issuedBefore: undefined }) as const),
    ...narrowed(users, sessions).map((user) =>
      user.target === 'jti' ? { ...user, issuedBefore: undefined } : { ...user, issuedBefore },
    ),
  ];
}

/** A fact about one session must not override what is known of another of the same user: by e-mail alone these cannot be told apart. */
function toSignals(
  { users, sessions }: EventSubject,
  signal: Pick<IssuerSignal, 'facts' | 'at'>,
): readonly IssuerSignal[] {
  if (Object.keys(signal.facts).length === 0) return [];
  const others = sessions.length === 0 ? users : users.filter(({ target }) => target !== 'email');
  const targets = [...sessions.map((value) => ({ target: 'sid', value }) as const), ...narrowed(others, sessions)];
  return targets.map((target) => ({ ...target, ...signal }));
}

function narrowed(users: readonly IssuerTarget[], sessions: readonly string[]): readonly IssuerTarget[] {
  if (sessions.length === 0) return users;
  return users.map((user) => (user.target === 'sub' ? { ...user, target: 'subWithoutSid' } : user));
}

/** `event_timestamp` (CAEP), else the time of the event (RFC 8417 `toe`), else when the token was made. */
function timeOf(event: JsonObject, { claims, iat }: EventToken): number | undefined {
  const time: JsonValue = ownMember(event, 'event_timestamp') ?? ownMember(claims, 'toe') ?? iat;
  return typeof time === 'number' && time >= 0 ? time : undefined;
}

function stateOf(event: JsonObject): string | undefined {
  const state = ownMember(event, 'state');
  return typeof state === 'string' ? state.slice(0, 200) : undefined;
}

function join(a: Understood, b: Understood): Understood {
  return {
    kind: 'understood',
    events: [...a.events, ...b.events],
    revocations: [...a.revocations, ...b.revocations],
    signals: [...a.signals, ...b.signals],
    state: b.state ?? a.state,
    onlyOnce: undefined,
  };
}
