import type { IssuerTarget } from '../../../core/issuer-message.ts';
import { isJsonObject, ownMember, type JsonObject, type JsonValue } from '../../../core/json.ts';

/** Whom a security event is about, as far as tokens tell. */
export interface EventSubject {
  /** `sub` or `email`, several where an issuer gives aliases; `jti` where it is one token. */
  readonly users: readonly IssuerTarget[];
  /** Ids of sessions, as they stand in `sid`. */
  readonly sessions: readonly string[];
}

export type ReadSubject = { readonly subject: EventSubject } | { readonly wrong: string };

/** Longer names are of nobody (OpenID Connect Core has 255 for `sub`). */
const maxValueLength = 512;
const maxAliases = 16;

/**
 * Reads a subject identifier (RFC 9493), or a complex one (Shared Signals Framework 1.0 section 3.2) whose `user` and `session` count: what else
 * it names (a device, a tenant) would narrow it to less than tokens say, and is left out. Formats that no token can be compared with are wrong.
 */
export function readSubject(value: JsonValue | undefined, issuer: string): ReadSubject {
  if (!isJsonObject(value)) return wrong('The event has no subject.');
  const format = formatOf(value);
  if (format !== undefined && format !== 'complex') return readSimple(value, format, issuer);
  const user = ownMember(value, 'user');
  const session = ownMember(value, 'session');
  if (user === undefined && session === undefined) return wrong('The subject names neither a user nor a session.');
  const readUser = user === undefined ? nobody : readPart(user, issuer);
  if ('wrong' in readUser) return readUser;
  const sid = session === undefined ? [] : readSession(session);
  if (sid === undefined) return wrong('The session of the subject is not in the format opaque.');
  return { subject: { users: readUser.subject.users, sessions: sid } };
}

const nobody = { subject: { users: [], sessions: [] } } as const satisfies ReadSubject;

/** Before RFC 9493 the format was called `subject_type`, and some of its values had dashes. */
function formatOf(value: JsonObject): string | undefined {
  const format = ownMember(value, 'format') ?? ownMember(value, 'subject_type');
  return typeof format === 'string' ? format.replaceAll('-', '_') : undefined;
}

function readPart(value: JsonValue, issuer: string): ReadSubject {
  const format = isJsonObject(value) ? formatOf(value) : undefined;
  if (!isJsonObject(value) || format === undefined) return wrong('The user of the subject has no format.');
  return readSimple(value, format, issuer);
}

function readSimple(value: JsonObject, format: string, issuer: string): ReadSubject {
  switch (format) {
    case 'iss_sub':
    case 'jwt_id': {
      if (ownMember(value, 'iss') !== issuer) return wrong('The subject is of another issuer.');
      const name = format === 'iss_sub' ? 'sub' : 'jti';
      return toUsers(name, ownMember(value, name));
    }
    case 'opaque':
      return toUsers('sub', ownMember(value, 'id'));
    case 'email': {
      const email = ownMember(value, 'email');
      return toUsers('email', typeof email === 'string' ? email.toLowerCase() : undefined);
    }
    case 'aliases':
      return readAliases(ownMember(value, 'identifiers'), issuer);
    default:
      return wrong('The format of the subject is not supported.');
  }
}

/** RFC 9493 3.2.8: all name one subject. Those that can be compared with tokens count, and there must be one. */
function readAliases(identifiers: JsonValue | undefined, issuer: string): ReadSubject {
  if (!Array.isArray(identifiers) || identifiers.length > maxAliases)
    return wrong(`The aliases of the subject are no list of at most ${maxAliases}.`);
  const users = identifiers.flatMap((identifier: JsonValue) => {
    const format = isJsonObject(identifier) ? formatOf(identifier) : undefined;
    if (!isJsonObject(identifier) || format === undefined || format === 'aliases') return [];
    const read = readSimple(identifier, format, issuer);
    return 'wrong' in read ? [] : read.subject.users;
  });
  return users.length === 0
    ? wrong('None of the aliases of the subject is supported.')
    : { subject: { users, sessions: [] } };
}

function readSession(value: JsonValue): readonly string[] | undefined {
  const id = isJsonObject(value) && formatOf(value) === 'opaque' ? ownMember(value, 'id') : undefined;
  return isName(id) ? [id] : undefined;
}

function toUsers(target: 'sub' | 'email' | 'jti', value: JsonValue | undefined): ReadSubject {
  if (!isName(value)) return wrong('The subject lacks a member of its format, or it is no text of a sensible length.');
  return { subject: { users: [{ target, value }], sessions: [] } };
}

/** A name as it can be kept, shared and listed: a text of a sensible length without control characters. */
export function isName(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxValueLength && !/\p{Cc}/u.test(value);
}

function wrong(why: string): { readonly wrong: string } {
  return { wrong: why };
}
