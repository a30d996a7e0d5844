import { duration, guard, issuer, list, oneOf, restriction, text, type Schema } from './json-schema.ts';
import { claims } from './jwt-provider.ts';
import { configMapRef, secretRef } from './references.ts';

/** `introspection` of a provider of type Introspection. */
export const introspection: Schema = guard(
  'With type Introspection: the issuer is asked about each opaque token (RFC 7662). While it does not answer, requests are denied with 503.',
  {
    endpoint: text('The http or https URL that is asked.', 2048),
    clientAuthentication: restriction(
      'How Portcullis says who it is.',
      {
        method: oneOf('The method. PrivateKeyJWT is RFC 7523.', ['Basic', 'Post', 'PrivateKeyJWT']),
        secretRef: secretRef(
          'A Secret with the keys client_id and client_secret; for PrivateKeyJWT client_id, private_key (PEM, PKCS#8) and, where the issuer wants one, key_id.',
        ),
      },
      { required: ['method', 'secretRef'] },
    ),
    caRef: {
      ...configMapRef('A ConfigMap that holds the PEM certificates to trust for the endpoint, and for keys.'),
      absent: "the system's",
    },
    signedAnswers: oneOf(
      'Required: answers must be JWTs that the issuer signed for us (RFC 9701); their keys are discovered below issuer, which must be there.',
      ['Never', 'Required'],
      { absent: 'Never' },
    ),
    issuer: issuer('The answer must name this issuer.', { absent: 'not checked' }),
    audiences: list('The answer must hold one of these.', text('An audience.', 2048), 32),
    claims,
    cache: restriction('How long an answer is remembered, and never beyond exp.', {
      ttl: duration('0s asks every time; at most 1h.', {
        absent: '60s',
        validations: [{ rule: "duration(self) <= duration('1h')", message: 'ttl is at most 1h' }],
      }),
    }),
    timeout: duration('How long an answer is waited for, at most 30s.', {
      absent: '2s',
      validations: [
        {
          rule: "duration(self) > duration('0s') && duration(self) <= duration('30s')",
          message: 'timeout is more than 0s and at most 30s',
        },
      ],
    }),
  },
  {
    required: ['endpoint', 'clientAuthentication', 'audiences'],
    validations: [
      {
        rule: "!has(self.signedAnswers) || self.signedAnswers != 'Required' || has(self.issuer)",
        message: 'signedAnswers Required needs issuer, below which the keys are',
      },
    ],
  },
);
