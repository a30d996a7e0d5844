import { describe, expect, test } from 'vitest';
import { problemsOf, resolve, outline } from './config-fixtures.ts';

const policies = { PORTCULLIS_POLICIES: 'policies' };
const certificate = { PORTCULLIS_TLS_CERTIFICATE: '/tls/tls.crt' };
const key = { PORTCULLIS_TLS_KEY: '/tls/tls.key' };
const clientCa = { PORTCULLIS_TLS_CLIENT_CA: '/tls/ca.crt' };

describe('the settings of TLS are accepted', () => {
  test.each([
    ['none of them', {}],
    ['certificate and key', { ...certificate, ...key }],
    ['with issuers of clients', { ...certificate, ...key, ...clientCa }],
    ['with a version', { ...certificate, ...key, PORTCULLIS_TLS_MINIMUM_VERSION: 'TLSv1.3' }],
    ['the default version alone', { PORTCULLIS_TLS_MINIMUM_VERSION: 'TLSv1.2' }],
    ['empty texts, which are none', { PORTCULLIS_TLS_CERTIFICATE: '', PORTCULLIS_TLS_KEY: '' }],
  ])('%s', (_title, env) => {
    const resolved = resolve({ ...policies, ...env });
    expect([resolved.ok, problemsOf(resolved)]).toEqual([true, []]);
  });

  test('as paths, and in the config file', () => {
    const resolved = resolve(policies, 'tlsCertificate: a.crt\ntlsKey: a.key\ntlsMinimumVersion: TLSv1.3\n');
    expect(resolved.ok && resolved.config).toMatchObject({
      tlsCertificate: 'a.crt',
      tlsKey: 'a.key',
      tlsClientCa: undefined,
      tlsMinimumVersion: 'TLSv1.3',
    });
  });
});

describe('what would leave the port open is an error, with its place', () => {
  test.each([
    ['a certificate without a key', certificate, 'PORTCULLIS_TLS_CERTIFICATE: error: missing-field'],
    ['a key without a certificate', key, 'PORTCULLIS_TLS_KEY: error: missing-field'],
    ['issuers of clients without TLS', clientCa, 'PORTCULLIS_TLS_CLIENT_CA: error: missing-field'],
    [
      'a version without TLS',
      { PORTCULLIS_TLS_MINIMUM_VERSION: 'TLSv1.3' },
      'PORTCULLIS_TLS_MINIMUM_VERSION: error: missing-field',
    ],
    [
      'TLS on a unix socket',
      { ...certificate, ...key, PORTCULLIS_GRPC_ADDRESS: 'unix:/run/x.sock' },
      'PORTCULLIS_TLS_CERTIFICATE: error: invalid-value',
    ],
    [
      'a version that is too old',
      { ...certificate, ...key, PORTCULLIS_TLS_MINIMUM_VERSION: 'TLSv1.1' },
      'PORTCULLIS_TLS_MINIMUM_VERSION: error: invalid-value',
    ],
    [
      'a path that is none',
      { ...key, PORTCULLIS_TLS_CERTIFICATE: 'a\0b' },
      'PORTCULLIS_TLS_CERTIFICATE: error: invalid-value',
    ],
  ])('%s', (_title, env, expected) => {
    const resolved = resolve({ ...policies, ...env });
    expect([resolved.ok, outline(problemsOf(resolved))]).toEqual([false, [expected]]);
  });

  test('and says what is missing', () => {
    expect(problemsOf(resolve(policies, 'tlsCertificate: a.crt\n')).map(({ message }) => message)).toEqual([
      'tlsCertificate needs tlsKey: the file of its private key.',
    ]);
  });
});
