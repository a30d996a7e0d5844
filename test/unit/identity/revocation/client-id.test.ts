import { expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { ownMember } from '../../../../src/core/json.ts';
import { toIdentity } from '../../../../src/phases/identity/jwt/to-identity.ts';

const rules = {
  issuer: 'https://idp.example',
  subject: {
    name: 'sub',
    read: (claims: JsonObject) => ownMember(claims, 'sub'),
  },
  scopes: [],
  roles: [],
};

test.each([
  ['client_id', { client_id: 'web', azp: 'other' }, 'web'],
  ['azp, where there is no client_id', { azp: 'web' }, 'web'],
  ['azp, where client_id is null', { client_id: null, azp: 'web' }, 'web'],
  ['nothing, where client_id is no text', { client_id: 7, azp: 'web' }, ''],
  ['nothing, where neither is there', {}, ''],
] satisfies readonly [string, JsonObject, string][])('the client of a token is %s', (_name, claims, expected) => {
  expect(toIdentity({ sub: 'alice', ...claims }, rules, 'idp').clientId).toBe(expected);
});
