import { duration, guard, list, oneOf, restriction, text, type Schema } from './json-schema.ts';
import { secretKeyRef } from './references.ts';

const urlPath = (description: string, absent: string): Schema => text(description, 1024, { pattern: '^/', absent });

/** `login`: browsers are sent to the identity provider; the contract has it and this version does not build it. */
export const login: Schema = guard(
  'With type Login: the OpenID Connect authorization code flow with PKCE, for browsers.',
  {
    issuer: text('The issuer, below which endpoints and keys are discovered.', 2048),
    clientId: text('The client id of Portcullis at the issuer.', 256),
    clientSecretRef: secretKeyRef('A key of a Secret that holds the client secret.'),
    scopes: list('The scopes that are asked for.', text('A scope.', 256), 32, { absent: 'openid' }),
    callbackPath: urlPath('Where the issuer sends browsers back to.', '/.portcullis/callback'),
    logoutPath: urlPath('Where a browser ends its session, here and at the issuer.', '/.portcullis/logout'),
    session: restriction('The session of a browser.', {
      ttl: duration('How long it lives, as 8h.', { absent: '8h' }),
      idleTimeout: duration('How long it lives without a request, as 30m.', { absent: '30m' }),
      cookie: restriction('Its cookie.', {
        name: text('The name.', 128, { absent: '__Host-session' }),
        sameSite: oneOf('To which requests of other sites browsers add it.', ['Lax', 'Strict'], { absent: 'Lax' }),
      }),
    }),
  },
  { required: ['issuer', 'clientId', 'clientSecretRef'] },
);
