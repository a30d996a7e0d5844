import { hmacAlgorithms } from '../provider-spec.ts';
import { guard, list, oneOf, oneOfThese, text, type Schema } from './json-schema.ts';
import { secretSelector } from './references.ts';

/** `sharedSecretJwt` of a provider of type SharedSecretJWT. */
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
    algorithms: list('What tokens may be signed with.', oneOfThese(hmacAlgorithms), 3, {
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
