import type { Denial, HeaderEntry, RefusedCredential } from '../../core/decision.ts';
import type { Identity } from '../../core/identity.ts';
import type { IssuerMessage, Receipt } from '../../core/issuer-message.ts';
import type { Request } from '../../core/request.ts';
import type { ProviderMaterial } from '../../policy/providers/provider-material.ts';
import type {
  ClientCertificateProviderSpec,
  CredentialPlace,
  IdentityProviderSpec,
} from '../../policy/provider-spec.ts';
import type { Steps } from '../../std/steps.ts';

/** One configured provider at work: it has a life-time, and is replaced as a whole when its document changes. */
export type IdentityProvider = MessageProvider | PeerProvider;

interface RunningProvider {
  /** Resolves when what it needs was tried for the first time, well or not. */
  readonly firstLoad: Promise<void>;
  status(): ProviderStatus;
  /**
   * Reads other Secrets and ConfigMaps. Nothing changes before what it gives is called; that cannot fail, and from then on exactly these are in
   * force. Absent: it is made anew instead, with all that it remembers.
   */
  readonly renew?: (material: ProviderMaterial) => Steps<() => void>;
  close(): void;
}

/** Judges credentials of messages (S17). */
export interface MessageProvider extends RunningProvider {
  readonly layer: 'message';
  readonly spec: MessageProviderSpec;
  readonly places: readonly CredentialPlace[];
  /** Judges one credential. At once where it is known, a promise where keys, cryptography or others are waited for; never rejects. */
  verify(credential: Credential): VerifyResult | Promise<VerifyResult>;
  /**
   * True where no token is accepted but of the characters of `token68` (RFC 9110 section 11.2), as a JWS has them: then nobody need look at
   * them before. Absent: somebody has to.
   */
  readonly judgesCharacters?: true;
  /** Takes what the issuer tells of its tokens beside them; absent where the document asks for nothing of it. Never rejects. */
  readonly receive?: (message: IssuerMessage) => Promise<Receipt>;
}

export type MessageProviderSpec = Exclude<IdentityProviderSpec, ClientCertificateProviderSpec>;

/** Judges who connects (S18). */
export interface PeerProvider extends RunningProvider {
  readonly layer: 'peer';
  readonly spec: ClientCertificateProviderSpec;
  /** A connection without a certificate is denied with `credential_missing`. Never rejects. */
  verifyPeer(request: Request): VerifyResult | Promise<VerifyResult>;
}

/** A credential of a message as it is presented. What it may be bound to (a certificate, a proof) is in the request. */
export interface Credential {
  /** What stands in the place behind the scheme; its form has not been looked at. */
  readonly token: string;
  readonly place: CredentialPlace;
  readonly request: Request;
  /** A policy that only watches asks (S9): nothing may be used up by it. Absent: it decides. */
  readonly isShadow?: boolean;
}

export type VerifyResult = Verified | Refused;

export interface Refused {
  readonly denial: Denial;
  /** Whose credential it was; absent where that is for who asked the provider to say. */
  readonly refused?: RefusedCredential | undefined;
}

export interface Verified {
  readonly identity: Identity;
  /** What the answer to the client carries besides (`dpop-nonce`); absent: nothing. */
  readonly responseHeaders?: readonly HeaderEntry[];
}

export interface ProviderStatus {
  readonly keys: number;
  /** Seconds since the keys in use were fetched; undefined where there are none or they do not age. */
  readonly keyAgeSeconds: number | undefined;
  /** Why the last fetch or question failed, or which keys were left out; undefined where all is well. Holds no secret. */
  readonly lastError: string | undefined;
  /** What it refers to and cannot use, in words; part of `lastError`. Undefined where it can use all, or refers to nothing. */
  readonly unusable?: string | undefined;
  /** True for one that needs no keys: somebody else verifies. */
  readonly isKeyless?: boolean | undefined;
  /** Of a provider that asks somebody about each credential: false where it has no way to ask or got no answer the last time. */
  readonly isAnswering?: boolean | undefined;
  /** Of such a one: false where nothing was asked yet, so that a right that is missing is not known; absent where that is all the same. */
  readonly isAsked?: boolean | undefined;
}
