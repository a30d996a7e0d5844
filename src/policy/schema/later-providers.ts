import { guard, list, text, type Schema } from './json-schema.ts';
import { secretKeyRef } from './references.ts';

/** The parts of the provider types that the contract has and this version does not build. */
const audiences = (description: string): Schema => list(description, text('An audience.', 2048), 32);

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
