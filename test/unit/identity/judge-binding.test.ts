import { describe, expect, test } from 'vitest';
import { denial, type Denial } from '../../../src/core/decision.ts';
import { isJsonObject, type JsonValue } from '../../../src/core/json.ts';
import { compileBindingCheck, type ConfirmationJudge } from '../../../src/phases/identity/binding/judge-binding.ts';
import { judgeCertificateBinding } from '../../../src/phases/identity/binding/judge-certificate-binding.ts';
import type { BindingRule } from '../../../src/policy/provider-spec.ts';
import { thumbprintOf } from '../../../src/std/x509/thumbprint.ts';
import { asEnvoySends, createClientAuthority } from '../../support/client-certificates.ts';
import {
  bearer,
  createWorld,
  credentialOf,
  ecKey,
  requestOf,
  startSeconds,
  tokenOf,
  verdictOf,
} from './identity-fixtures.ts';

const root = createClientAuthority(startSeconds * 1000);
const leaf = root.issue();
const other = root.issue();
const thumbprint = Buffer.from(thumbprintOf(leaf.der)).toString('base64url');
const shown = requestOf({ certificate: asEnvoySends(leaf.certificate) });

const no = denial('token_binding');
const passes: ConfirmationJudge = () => undefined;
const refuses: ConfirmationJudge = () => no;
const late =
  (verdict: Denial | undefined): ConfirmationJudge =>
  () =>
    Promise.resolve(verdict);

async function judge(
  cnf: JsonValue | undefined,
  rules: readonly [certificate: BindingRule, dpop: BindingRule],
  certificate: ConfirmationJudge = passes,
  dpop: ConfirmationJudge = passes,
): Promise<string> {
  const check = compileBindingCheck({ certificate: rules[0], dpop: rules[1] }, { certificate, dpop });
  const place = rules[1] !== 'Ignore' && isJsonObject(cnf) && 'jkt' in cnf ? { ...bearer, scheme: 'DPoP' } : bearer;
  return (await check(cnf, { ...credentialOf('t'), place })) === undefined ? 'passes' : 'refused';
}

const ifBound = ['IfBound', 'IfBound'] as const;
const two = { 'x5t#S256': 'x', jkt: 'y' };

describe('how a token is bound', () => {
  test.each<[string, JsonValue | undefined, readonly [BindingRule, BindingRule], string]>([
    ['not at all', undefined, ifBound, 'passes'],
    ['not at all, and a certificate is required', undefined, ['Required', 'IfBound'], 'refused'],
    ['not at all, and a key is required', undefined, ['IfBound', 'Required'], 'refused'],
    ['to a certificate', { 'x5t#S256': 'x' }, ifBound, 'passes'],
    ['to a certificate, and a key is required too', { 'x5t#S256': 'x' }, ['Required', 'Required'], 'refused'],
    ['to both, and both are required', two, ['Required', 'Required'], 'passes'],
    ['to nothing', {}, ifBound, 'refused'],
    ['to nothing that is looked at', {}, ['Ignore', 'Ignore'], 'refused'],
    ['in a way that nobody knows', { jwk: {} }, ['Ignore', 'Ignore'], 'refused'],
    ['in a way that nobody knows besides', { ...two, kid: 'k' }, ifBound, 'refused'],
    ['by a text', 'x', ifBound, 'refused'],
    ['by null', null, ['Ignore', 'Ignore'], 'refused'],
    ['by a list', ['x5t#S256'], ifBound, 'refused'],
  ])('%s', async (_title, cnf, rules, verdict) => {
    expect(await judge(cnf, rules)).toBe(verdict);
    expect(await judge(two, rules)).toBe('passes');
  });

  test.each<[string, ConfirmationJudge, ConfirmationJudge, string]>([
    ['both hold', passes, passes, 'passes'],
    ['the first does not', refuses, passes, 'refused'],
    ['the second does not', passes, refuses, 'refused'],
    ['the first does not, late', late(no), passes, 'refused'],
    ['the second does not, late', passes, late(no), 'refused'],
    ['both hold, late', late(undefined), late(undefined), 'passes'],
    ['the second does not, both late', late(undefined), late(no), 'refused'],
  ])('in both ways: %s', async (_title, certificate, dpop, verdict) => {
    expect(await judge(two, ifBound, certificate, dpop)).toBe(verdict);
    expect(await judge(two, ['Ignore', 'Ignore'], certificate, dpop)).toBe('passes');
  });

  test('a proof that may be used once is not used up where another one does not hold', async () => {
    let asked = 0;
    const counting: ConfirmationJudge = () => {
      asked += 1;
      return undefined;
    };
    await judge(two, ifBound, refuses, counting);
    await judge(two, ifBound, late(no), counting);
    expect(asked).toBe(0);
  });
});

describe('RFC 8705: x5t#S256', () => {
  const verdict = (member: JsonValue, request = shown): string => {
    const result = judgeCertificateBinding(member, credentialOf('t', request));
    return result === undefined ? 'passes' : result instanceof Promise ? 'late' : result.message;
  };

  test('is the SHA-256 of the certificate that the connection shows', () => {
    expect(verdict(thumbprint)).toBe('passes');
    expect(verdict(thumbprint, requestOf({ certificate: asEnvoySends(other.certificate) }))).toBe(
      'The token is bound to another client certificate.',
    );
  });

  test.each<[string, JsonValue]>([
    ['is no text', 7],
    ['is empty', ''],
    ['is in hex', Buffer.from(thumbprintOf(leaf.der)).toString('hex')],
    ['is base64', Buffer.from(thumbprintOf(leaf.der)).toString('base64')],
    ['is cut', thumbprint.slice(0, -2)],
  ])('that %s is refused', (_title, member) => {
    expect(verdict(member)).toBe('The x5t#S256 of the token is no SHA-256 thumbprint.');
    expect(verdict(thumbprint)).toBe('passes');
  });

  test('without a certificate, or with one that cannot be read, is refused', () => {
    expect(verdict(thumbprint, requestOf({}))).toContain('the connection shows none');
    expect(verdict(thumbprint, requestOf({ principal: 'CN=client' }))).toContain('the connection shows none');
    expect(verdict(thumbprint, requestOf({ certificate: 'x' }))).toContain('cannot be read');
    expect(verdict(thumbprint)).toBe('passes');
  });
});

test('a bound token that is known is judged with every request, and denied before any key is fetched where it cannot be right', async () => {
  const key = ecKey('k1');
  const world = createWorld([key]);
  const provider = world.provider();
  await provider.firstLoad;
  const token = tokenOf(key, { cnf: { 'x5t#S256': thumbprint } });
  const ask = async (request = shown): Promise<string> =>
    verdictOf(await provider.verify(credentialOf(token, request)));
  expect([await ask(), await ask(), await ask(requestOf({})), await ask()]).toEqual([
    'allow',
    'allow',
    'token_binding',
    'allow',
  ]);
  expect(world.events.filter((event) => event === 'miss' || event === 'hit')).toEqual(['miss', 'hit', 'hit', 'hit']);
  const fetched = world.http.calls.length;
  const unknownKey = tokenOf(key, { cnf: { kid: 'x' } }, { kid: 'unknown' });
  expect(verdictOf(await provider.verify(credentialOf(unknownKey, shown)))).toBe('token_binding');
  expect(world.http.calls).toHaveLength(fetched);
  provider.close();
});
