import { guard, type Schema } from './json-schema.ts';
import { secretKeyRef } from './references.ts';

export const basic: Schema = guard(
  'With type Basic: names and passwords (RFC 7617). The subject is the name.',
  {
    secretRef: secretKeyRef(
      'A key of a Secret that holds an htpasswd file with bcrypt, argon2 or scrypt hashes. Lines with other hashes are not used; status names them.',
    ),
  },
  { required: ['secretRef'] },
);
