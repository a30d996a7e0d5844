import { duration, guard, list, oneOf, oneOfThese, restriction, text, type Schema } from './json-schema.ts';
import { credentialPlaces } from './jwt-provider.ts';
import { configMapRef, secretKeyRef, secretRef, secretSelector } from './references.ts';

/** The parts of the provider types that the contract has and this version does not build. */
const audiences = (description: string): Schema => list(description, text('An audience.', 2048), 32);

export const sharedSecretJwt: Schema = guard(
  'With type SharedSecretJWT: consumers with an HMAC secret each. The subject is the name of the consumer; roles and scopes come from the annotations of its Secret.',
  {
    keyClaim: text('The claim, or header:kid, whose value names the consumer.', 256, { absent: 'iss' }),
    secretSelector: secretSelector(
      'Which Secrets are consumers: data.key is the name, data.secret the secret. Of two with one name neither works.',
    ),
    secretEncoding: oneOf('Base64: the bytes of the secret are themselves base64.', ['Plain', 'Base64'], {
      absent: 'Plain',
    }),
    algorithms: list('What tokens may be signed with.', oneOfThese(['HS256', 'HS384', 'HS512']), 3, {
      uniqueItems: true,
      absent: 'HS256',
    }),
    verifyClaims: list('Times that are checked. exp is required whatever stands here.', oneOfThese(['exp', 'nbf']), 2, {
      uniqueItems: true,
      absent: 'exp and nbf',
    }),
  },
  { required: ['secretSelector'] },
);

export const introspection: Schema = guard(
  'With type Introspection: the issuer is asked about each opaque token (RFC 7662). While it does not answer, requests are denied with 503.',
  {
    endpoint: text('The http or https URL that is asked.', 2048),
    clientAuthentication: restriction(
      'How Portcullis says who it is.',
      {
        method: oneOf('The method.', ['Basic', 'Post', 'PrivateKeyJWT']),
        secretRef: secretRef('A Secret with the keys client_id and client_secret.'),
      },
      { required: ['method', 'secretRef'] },
    ),
    issuer: text('The answer must name this issuer.', 2048, { absent: 'not checked' }),
    audiences: audiences('The answer must hold one of these.'),
    cache: restriction('How long an answer is remembered, and never beyond exp.', {
      ttl: duration('0s asks every time.', { absent: '60s' }),
    }),
    timeout: duration('How long an answer is waited for.', { absent: '2s' }),
  },
  { required: ['endpoint', 'clientAuthentication', 'audiences'] },
);

export const apiKey: Schema = guard(
  'With type APIKey: each Secret is one client.',
  {
    from: credentialPlaces('Where keys are looked for.'),
    secretSelector: secretSelector(
      'Which Secrets are clients: data.api-key-sha256 (hex) or data.api-key; annotations portcullis.dev/client-id, scopes, roles and expires.',
    ),
  },
  { required: ['from', 'secretSelector'] },
);

export const clientCertificate: Schema = guard(
  'With type ClientCertificate: who presents a certificate to the proxy.',
  {
    source: oneOf(
      'ValidatedPrincipal: you declare that the listener of the proxy validates client certificates. Certificate: we verify the chain of the one that the proxy sends against caRef.',
      ['ValidatedPrincipal', 'Certificate'],
    ),
    caRef: configMapRef('A ConfigMap that holds the PEM certificates to trust, with source Certificate.'),
    spiffe: restriction(
      'The identity is a SPIFFE id; claims namespace and serviceAccount where it is of the form ns/sa.',
      {
        trustDomains: list('The trust domains, compared exactly.', text('A trust domain, as cluster.local.', 255), 32),
      },
      { required: ['trustDomains'] },
    ),
  },
  {
    required: ['source'],
    validations: [
      {
        rule: "(self.source == 'Certificate') == has(self.caRef)",
        message: 'source Certificate needs caRef, and ValidatedPrincipal has none',
      },
    ],
  },
);

export const basic: Schema = guard(
  'With type Basic: names and passwords.',
  { secretRef: secretKeyRef('A key of a Secret that holds an htpasswd file with bcrypt, argon2 or scrypt hashes.') },
  { required: ['secretRef'] },
);
