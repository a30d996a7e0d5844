import { duration, guard, list, oneOf, restriction, text, type Schema } from './json-schema.ts';
import { secretKeyRef, secretRef } from './references.ts';

/** The parts of the provider types that the contract has and this version does not build. */
const audiences = (description: string): Schema => list(description, text('An audience.', 2048), 32);

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

export const serviceAccount: Schema = guard(
  'With type ServiceAccount: tokens of Kubernetes service accounts, asked about with TokenReview.',
  { audiences: audiences('The token must be for one of these.') },
  { required: ['audiences'] },
);

export const basic: Schema = guard(
  'With type Basic: names and passwords.',
  { secretRef: secretKeyRef('A key of a Secret that holds an htpasswd file with bcrypt, argon2 or scrypt hashes.') },
  { required: ['secretRef'] },
);
