import type { JsonObject, JsonValue } from '../../../src/core/json.ts';

/**
 * A Keycloak of a test file's own; its realms are issuers that share nothing, so one is enough for all tests of the file.
 *
 *     const keycloak = await startKeycloak();
 *     const realm = await keycloak.createRealm('shop', {
 *       clients: [{ id: 'web', secret: 's', audiences: ['orders'], redirectUris: ['http://127.0.0.1/back'] }],
 *       users: [{ name: 'alice', password: 'p', roles: ['admin'] }],
 *       acrLevels: ['password', 'mfa'],
 *     });
 *     await realm.clientToken('web');
 *     await realm.signIn('web', 'alice', { acrValues: 'mfa' });
 *     await realm.rotateKeys();
 */
export interface Keycloak {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** Makes a realm with all that the setup says; the name is that of its issuer. */
  createRealm(name: string, setup: RealmSetup): Promise<Realm>;
  /** Resolves when it answers nothing any more, without having ended: what a request sees of an outage. Until `resume`. */
  pause(): Promise<void>;
  resume(): void;
  stop(): Promise<void>;
}

export interface RealmSetup {
  readonly clients: readonly ClientSetup[];
  readonly users?: readonly UserSetup[];
  /** Seconds; 300 where absent. */
  readonly accessTokenLifespan?: number;
  /**
   * Step-up (RFC 9470): words of `acr`, from the least; each level asks for the password once more than the one before. The flow is
   * bound to the browser sign-in, so `signIn` with `acrValues` reaches them.
   */
  readonly acrLevels?: readonly string[];
  /** Whatever else a RealmRepresentation of Keycloak holds. */
  readonly more?: JsonObject;
}

export interface ClientSetup {
  readonly id: string;
  /** A confidential client with this secret; absent with `publicKey`. */
  readonly secret?: string;
  /** PEM of an X.509 certificate whose key signs the client's assertions (private_key_jwt). */
  readonly certificate?: string;
  /** Further values of `aud` in its access tokens. */
  readonly audiences?: readonly string[];
  /** RFC 9449: its tokens are bound, and its token requests need a proof. */
  readonly dpop?: boolean;
  /** Where users may be sent back to after `signIn`. */
  readonly redirectUris?: readonly string[];
  /** Whatever else a ClientRepresentation of Keycloak holds. */
  readonly more?: JsonObject;
}

export interface UserSetup {
  readonly name: string;
  readonly password: string;
  /** Realm roles, made where they do not exist: `/realm_access/roles` of a token. */
  readonly roles?: readonly string[];
}

export interface Realm {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly introspectionEndpoint: string;
  /** An access token of the client itself (RFC 6749 4.4). */
  clientToken(client: string, options?: TokenOptions): Promise<string>;
  /** The tokens of a user by name and password (RFC 6749 4.3); without a browser there is no step-up. */
  userTokens(client: string, user: string, options?: TokenOptions): Promise<Tokens>;
  /** The tokens of a user who signs in at the login page (authorization code). Needs a redirect URI of the client. */
  signIn(client: string, user: string, options?: SignInOptions): Promise<Tokens>;
  /** Revokes a token (RFC 7009). */
  revoke(client: string, token: string): Promise<void>;
  /**
   * Ends all sessions of the user. Keycloak tells each client with a back-channel logout URL once, and names one of the sessions, however
   * many it had (seen with 26.4).
   */
  logOut(user: string): Promise<void>;
  setUserEnabled(user: string, isEnabled: boolean): Promise<void>;
  setClientEnabled(client: string, isEnabled: boolean): Promise<void>;
  /** Where Keycloak posts the logout tokens of a client from now on (OpenID Connect Back-Channel Logout), with `sid` or without. */
  setBackchannelLogoutUrl(client: string, url: string, options: { readonly withSession: boolean }): Promise<void>;
  /** What a browser does at the end session endpoint (OpenID Connect RP-Initiated Logout): ends the session of the ID token alone. */
  endSession(idToken: string): Promise<void>;
  /** A new key signs from now on (a provider of higher priority); the ones before stay in the key set. */
  rotateKeys(): Promise<void>;
  /** Takes every key but the one that signs out of the key set. */
  disableOldKeys(): Promise<void>;
  /** A call of the admin API below `/admin/realms/NAME`; throws where the answer is no 2xx. */
  admin(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: JsonValue): Promise<JsonValue>;
}

export interface TokenOptions {
  readonly scope?: string;
  /** Further headers of the token request: `DPoP`. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SignInOptions extends TokenOptions {
  readonly acrValues?: string;
  /** Seconds. */
  readonly maxAge?: number;
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Empty without the scope `openid`. */
  readonly idToken: string;
}
