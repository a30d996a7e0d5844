import { guard, list, text, type Schema } from './json-schema.ts';

/** `serviceAccount` of a provider. */
export const serviceAccount: Schema = guard(
  'With type ServiceAccount: tokens of Kubernetes service accounts, which the API server is asked about (TokenReview). While it does not answer, requests are denied with 503.',
  { audiences: list('The token must be for one of these.', text('An audience.', 2048), 32) },
  { required: ['audiences'] },
);
