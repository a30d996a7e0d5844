import type { Identity } from './identity.ts';
import { reasons, type ReasonCode } from './reason.ts';
import type { Request, RequestSender } from './request.ts';
import type { RevocationSource } from './revocation.ts';

/** Why a request is refused: a value, never thrown. Messages name claims and headers, never a token, a secret or a body. */
export interface Denial {
  readonly code: ReasonCode;
  /** One sentence for the caller. */
  readonly message: string;
  /** `WWW-Authenticate` values (RFC 9110 11.6.1), each already a safe header value. */
  readonly challenges: readonly string[];
  /** Other headers of the answer (`dpop-nonce`), safe header values too; absent: none. */
  readonly headers?: readonly HeaderEntry[];
}

/** A Denial of the code; the message defaults to the code's meaning. */
export function denial(
  code: ReasonCode,
  message: string = reasons[code].meaning,
  challenges: readonly string[] = [],
): Denial {
  return { code, message, challenges };
}

/** A header, its name in lower case. */
export type HeaderEntry = readonly [name: string, value: string];

/** What was decided. There are two constructors, `allow` and `deny`, and no default: no answer is never yes. */
export type Decision = Allow | Deny;

export interface Allow {
  readonly kind: 'allow';
  readonly about: DecisionAbout;
  readonly upstream: UpstreamChanges;
  /** Added to the upstream's answer on its way to the client. */
  readonly responseHeaders: readonly HeaderEntry[];
}

export interface Deny {
  readonly kind: 'deny';
  readonly about: DecisionAbout;
  readonly denial: Denial;
  /** HTTP status, 400 to 599; 200 where the code is `resource_metadata`, an answer of our own that the proxy gives in the upstream's place. */
  readonly status: number;
  readonly responseHeaders: readonly HeaderEntry[];
  /** Undefined: JSON with code, message and id. */
  readonly body: DenialBody | undefined;
}

export interface DenialBody {
  readonly contentType: string;
  readonly text: string;
}

/** How a denial is dressed; it stays one whatever stands here. */
export interface DenialAnswer {
  /** 400 to 599; undefined: that of the code. */
  readonly status?: number | undefined;
  readonly headers?: readonly HeaderEntry[];
  readonly body?: DenialBody | undefined;
}

/** What a proxy changes on the request before it goes on. No name is both set and removed. */
export interface UpstreamChanges {
  /** Each replaces every copy the client sent. */
  readonly setHeaders: readonly HeaderEntry[];
  readonly removeHeaders: readonly string[];
  readonly removeQueryParameters: readonly string[];
}

/** What the decision was made on, for logs and explanations. */
export interface DecisionAbout {
  readonly id: string;
  /** `namespace/name` of the deciding policy; of `no_rule` those whose rules were asked, with commas; empty where none covers the request. */
  readonly policy: string;
  /** The deciding rule's name; empty where none decided. */
  readonly rule: string;
  readonly identity: Identity;
  /** Who connects, where the rule asked for that too (S18); undefined where nobody was asked, or the peer is the identity alone. */
  readonly peer?: Identity | undefined;
  /** Whose credential was refused, for logs alone; undefined where none was judged. */
  readonly refused?: RefusedCredential | undefined;
  /** The request as it was read; undefined where it could not be. */
  readonly request: Request | undefined;
  /** Who sent a request that could not be read, for logs alone; absent where it was read. */
  readonly sender?: RequestSender | undefined;
  /** What policies in shadow mode would have made of it (S9). */
  readonly shadow?: readonly ShadowVerdict[];
}

/** What is known of a credential that was refused. */
export interface RefusedCredential {
  /** The name of the provider that judged it. */
  readonly provider: string;
  /** Only of one that verified and was refused for what was revoked: what an unverified one says of itself is anybody's word. */
  readonly subject?: string | undefined;
  /** Where the revocation came from. */
  readonly revokedBy?: RevocationSource | undefined;
}

/** What would have been decided if the policy were enforced. */
export interface ShadowVerdict {
  /** The policy in shadow mode: `namespace/name`, or `name` of a cluster policy. */
  readonly policy: string;
  readonly rule: string;
  readonly code: ReasonCode | 'ok';
}

export function allow(
  about: DecisionAbout,
  upstream: UpstreamChanges,
  responseHeaders: readonly HeaderEntry[] = [],
): Allow {
  return { kind: 'allow', about, upstream, responseHeaders };
}

export function deny(about: DecisionAbout, reason: Denial, answer: DenialAnswer = {}): Deny {
  return {
    kind: 'deny',
    about,
    denial: reason,
    status: answer.status ?? reasons[reason.code].status,
    responseHeaders: answer.headers ?? [],
    body: answer.body,
  };
}
