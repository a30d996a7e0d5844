import { guard, list, text, type Schema } from './json-schema.ts';

/** The parts of the provider types that the contract has and this version does not build. */
const audiences = (description: string): Schema => list(description, text('An audience.', 2048), 32);

export const serviceAccount: Schema = guard(
  'With type ServiceAccount: tokens of Kubernetes service accounts, asked about with TokenReview.',
  { audiences: audiences('The token must be for one of these.') },
  { required: ['audiences'] },
);
