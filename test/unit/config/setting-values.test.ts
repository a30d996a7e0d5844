import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/core/json.ts';
import { maxDecodedHeaders } from '../../../src/envoy/check-parts.ts';
import { settings, type SettingKey } from '../../../src/runtime/config/settings.ts';

function fromText(key: SettingKey, ...texts: readonly string[]): unknown {
  const parsed = settings[key].type.fromTexts(texts);
  return 'value' in parsed ? parsed.value : 'refused';
}

function fromJson(key: SettingKey, value: JsonValue): unknown {
  const parsed = settings[key].type.fromJson(value);
  return 'value' in parsed ? parsed.value : 'refused';
}

describe('texts', () => {
  test.each<readonly [SettingKey, string, unknown]>([
    ['grpcAddress', '[::1]:9001', { kind: 'tcp', host: '::1', port: 9001 }],
    ['grpcAddress', 'localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
    ['grpcAddress', 'unix:/run/p.sock', { kind: 'unix', path: '/run/p.sock' }],
    ['adminAddress', '', undefined],
    ['checkTimeout', '200ms', 200],
    ['maxHeaders', '10', 10],
    ['maxHeaders', String(maxDecodedHeaders), maxDecodedHeaders],
    ['logDecisionsSample', '0.25', 0.25],
    ['logDecisions', 'denied', 'denied'],
    ['allowPrivateAddresses', 'true', true],
    ['ownedHeaders', 'X-User, x-role,x-user', ['x-user', 'x-role']],
    ['allowedPrivateAddresses', '10.0.0.0/8,fd00::/8,127.0.0.1', ['10.0.0.0/8', 'fd00::/8', '127.0.0.1']],
    ['namespace', 'edge', 'edge'],
    ['watchNamespaces', 'shop,pay', ['shop', 'pay']],
    ['policySelector', '', ''],
    ['policySelector', ' team=shop ', 'team=shop'],
    ['policySelector', 'team == shop, !legacy', 'team == shop, !legacy'],
    ['policySelector', 'portcullis.example/shard in (one, two),team!=,tier notin (a)', expect.any(String)],
    ['policySelector', 'team', 'team'],
  ])('%s takes %j', (key, text, value) => {
    expect(fromText(key, text)).toEqual(value);
  });

  test.each<readonly [SettingKey, string]>([
    ['policies', ''],
    ['grpcAddress', ''],
    ['grpcAddress', ':9001'],
    ['grpcAddress', '0.0.0.0'],
    ['grpcAddress', '0.0.0.0:65536'],
    ['grpcAddress', '1.2.3.400:9001'],
    ['grpcAddress', '::1:9001'],
    ['grpcAddress', 'unix:'],
    ['grpcAddress', 'http://localhost:9001'],
    ['httpAddress', 'unix:/run/p.sock'],
    ['httpAddress', ''],
    ['adminAddress', 'off'],
    ['checkTimeout', '5'],
    ['checkTimeout', '1ms'],
    ['checkTimeout', '11m'],
    ['maxHeaders', '9'],
    ['maxHeaders', '1e2'],
    ['maxHeaders', '-1'],
    ['maxHeaders', String(maxDecodedHeaders + 1)],
    ['maxHeaders', '0x20'],
    ['logDecisionsSample', '1.01'],
    ['logDecisionsSample', 'NaN'],
    ['logDecisions', 'Denied'],
    ['allowPrivateAddresses', 'yes'],
    ['ownedHeaders', 'x user'],
    ['ownedHeaders', ':path'],
    ['ownedHeaders', 'host'],
    ['ownedHeaders', 'x-envoy-anything'],
    ['allowedPrivateAddresses', '10.0.0.1/8'],
    ['allowedPrivateAddresses', 'localhost'],
    ['hostGrants', 'shop'],
    ['hostGrants', '=api.example.com'],
    ['hostGrants', 'Shop=api.example.com'],
    ['hostGrants', 'shop=api.example.com:80'],
    ['hostGrants', 'shop=*.*.example.com'],
    ['hostGrants', 'shop='],
    ['hostGrants', ''],
    ['namespace', 'a/b'],
    ['watchNamespaces', 'shop,Pay'],
    ['policySelector', 'a=b=c'],
    ['policySelector', 'team=shop,'],
    ['policySelector', 'tier in a,b'],
    ['policySelector', 'tier in (a,b'],
    ['policySelector', 'team=shop pay'],
    ['policySelector', '=shop'],
    ['policySelector', '!team=shop'],
    ['policySelector', `${'a'.repeat(64)}=b`],
  ])('%s refuses %j', (key, text) => {
    expect(fromText(key, text)).toBe('refused');
  });

  test('host grants of several flags add up, in canonical form', () => {
    expect(fromText('hostGrants', 'shop=API.example.com.', 'shop=*.shop.example.com', 'ops=*')).toEqual(
      new Map([
        ['shop', ['api.example.com', '*.shop.example.com']],
        ['ops', ['*']],
      ]),
    );
  });

  test('of a single value given twice the last counts', () => {
    expect(fromText('checkTimeout', '1s', '2s')).toBe(2000);
  });
});

describe('values of the config file', () => {
  test.each<readonly [SettingKey, JsonValue, unknown]>([
    ['maxHeaders', 100, 100],
    ['allowPrivateAddresses', true, true],
    ['ownedHeaders', ['x-user'], ['x-user']],
    ['adminAddress', '', undefined],
    ['hostGrants', { shop: ['api.example.com'] }, new Map([['shop', ['api.example.com']]])],
  ])('%s takes %j', (key, json, value) => {
    expect(fromJson(key, json)).toEqual(value);
  });

  test.each<readonly [SettingKey, JsonValue]>([
    ['maxHeaders', null],
    ['maxHeaders', [100]],
    ['maxHeaders', 100.5],
    ['checkTimeout', 5],
    ['adminAddress', null],
    ['adminAddress', false],
    ['allowPrivateAddresses', 1],
    ['ownedHeaders', 'x-user'],
    ['ownedHeaders', [1]],
    ['hostGrants', {}],
    ['hostGrants', { shop: [] }],
    ['hostGrants', { shop: 'api.example.com' }],
    ['hostGrants', ['shop=api.example.com']],
  ])('%s refuses %j', (key, json) => {
    expect(fromJson(key, json)).toBe('refused');
  });
});
