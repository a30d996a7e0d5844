import { bindingRules, dpopNonceRules, jwtAlgorithms } from '../provider-spec.ts';
import {
  atMostOne,
  duration,
  exactlyOne,
  guard,
  issuer,
  list,
  oneOf,
  oneOfThese,
  restriction,
  text,
  type Schema,
} from './json-schema.ts';
import { configMapRef, headerName, secretKeyRef } from './references.ts';

const claimName = (description: string, extra: Partial<Schema> = {}): Schema => text(description, 256, extra);
const aClaim = claimName('The name of a claim, or a JSON Pointer (RFC 6901) where it begins with a slash.');

const keySource = (description: string, absent: string): Schema =>
  restriction(
    description,
    {
      uri: text('The http or https URL of the key set.', 2048),
      inline: text('The JSON text of the key set, with at least one key.', 262_144),
      configMapRef: configMapRef('A ConfigMap that holds the JSON text of the key set.'),
      caRef: {
        ...configMapRef('A ConfigMap that holds the PEM certificates to trust where keys are fetched.'),
        absent: "the system's",
      },
    },
    {
      absent,
      validations: [
        atMostOne(['uri', 'inline', 'configMapRef'], 'jwks has at most one of uri, inline and configMapRef'),
        {
          rule: '!has(self.caRef) || !(has(self.inline) || has(self.configMapRef))',
          message: 'caRef is for keys that are fetched: leave it out beside inline and configMapRef',
        },
      ],
    },
  );

const jwks: Schema = keySource(
  'Where the keys come from: at most one of uri, inline and configMapRef. Keys are fetched in the background and kept through outages.',
  'OpenID Connect discovery, then RFC 8414, below the issuer',
);

/** `logout`: what ends tokens before their end. */
const logout: Schema = guard(
  'Takes logout tokens of the issuer (OpenID Connect Back-Channel Logout) at /backchannel-logout/<namespace>/<name> of the HTTP address, without the namespace for a ClusterIdentityProvider. What they end is refused.',
  {
    audiences: list('The client ids whose logout tokens are taken: aud must hold one.', text('A client id.', 2048), 32),
  },
  { required: ['audiences'] },
);

const events: Schema = guard(
  'Takes security events (Shared Signals Framework, CAEP and RISC) pushed as in RFC 8935 to /events/<namespace>/<name> of the HTTP address, without the namespace for a ClusterIdentityProvider.',
  {
    audiences: list('The claim aud of an event must hold one of these.', text('An audience.', 2048), 32),
    issuer: issuer('The transmitter, as it stands in iss of its events.', { absent: 'the issuer of the tokens' }),
    jwks: keySource(
      'Where the keys of the transmitter come from: one of uri, inline and configMapRef.',
      'the keys of the provider',
    ),
    authorizationRef: {
      ...secretKeyRef('A key of a Secret with what the transmitter sends as Authorization, scheme and all.'),
      absent: 'not looked at; the signature is, always',
    },
  },
  { required: ['audiences'] },
);

/** `from`: where a credential may stand. */
export function credentialPlaces(description: string, absent?: string): Schema {
  return list(
    description,
    restriction(
      'One place: exactly one of header, cookie and query.',
      {
        header: headerName,
        scheme: text('The scheme before the credential, in any case, as Bearer; only with header.', 64, {
          absent: 'the whole value of the header',
        }),
        cookie: text('The name of a cookie.', 128),
        query: text('The name of a query parameter: letters, digits and . _ ~ -', 128),
      },
      {
        validations: [
          exactlyOne(['header', 'cookie', 'query'], 'a place is exactly one of header, cookie and query'),
          { rule: '!has(self.scheme) || has(self.header)', message: 'scheme stands only with header' },
        ],
      },
    ),
    8,
    absent === undefined ? {} : { absent },
  );
}

/** `claims`: where the parts of an identity are. */
export const claims: Schema = restriction('Where the parts of the identity are in the claims.', {
  subject: claimName('The claim that is the subject.', { absent: 'sub' }),
  scopes: list('The claims that hold scopes: a text with spaces between, or a list of texts.', aClaim, 16, {
    absent: 'scope and scp',
  }),
  roles: list('The claims that hold roles: a text, or a list of texts.', aClaim, 16, { absent: 'no roles' }),
});

/** `binding`: which proofs are asked of tokens. */
export const binding: Schema = restriction(
  'Tokens that are bound to their holder (claim cnf). IfBound asks for the proof where a token is bound so; Required refuses tokens that are not; Ignore does not look at the proof.',
  {
    certificate: oneOf('The proof by client certificate (RFC 8705).', bindingRules, { absent: 'IfBound' }),
    dpop: oneOf(
      'The proof by DPoP (RFC 9449). But for Ignore, tokens that are bound so come with the scheme DPoP and no others do.',
      bindingRules,
      { absent: 'IfBound' },
    ),
    dpopNonce: oneOf(
      'Required: proofs hold a nonce that Portcullis gives, so that none can be made beforehand. Several replicas then need one dpopNonceKeyFile.',
      dpopNonceRules,
      { absent: 'Never' },
    ),
  },
);

/** `jwt` of a provider of type JWT. */
export const jwt: Schema = guard(
  'With type JWT: tokens signed with a private key, checked by us (RFC 7519, RFC 8725).',
  {
    issuer: issuer(
      'Compared byte for byte with the claim iss. Without jwks it is the URL below which keys are discovered.',
    ),
    audiences: list('The claim aud must hold one of these.', text('An audience.', 2048), 32),
    jwks,
    algorithms: list(
      'What tokens may be signed with. HMAC and none never are.',
      oneOfThese(jwtAlgorithms),
      jwtAlgorithms.length,
      { uniqueItems: true, absent: 'RS256, PS256, ES256, ES384, EdDSA' },
    ),
    profile: oneOf(
      'AccessToken is RFC 9068 (typ at+jwt and its claims), IDToken is OpenID Connect; Any refuses a typ that names another use.',
      ['Any', 'AccessToken', 'IDToken'],
      { absent: 'Any' },
    ),
    clockSkew: duration('The tolerance for exp, nbf and iat, at most 300s.', {
      absent: '30s',
      validations: [{ rule: "duration(self) <= duration('300s')", message: 'clockSkew is at most 300s' }],
    }),
    maxLifetime: duration('The longest time between iat and exp, as 24h.', { absent: 'any' }),
    requiredClaims: list('Claims that must be there; exp always must.', aClaim, 32, { absent: 'none' }),
    from: credentialPlaces('Where tokens are looked for.', 'the Authorization header with Bearer'),
    claims,
    binding,
    logout,
    events,
  },
  { required: ['issuer', 'audiences'] },
);
