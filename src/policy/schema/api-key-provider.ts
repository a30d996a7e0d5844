import { guard, type Schema } from './json-schema.ts';
import { credentialPlaces } from './jwt-provider.ts';
import { secretSelector } from './references.ts';

/** `apiKey` of a provider of type APIKey. */
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
