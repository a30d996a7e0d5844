import { describe, expect, test } from 'vitest';
import { isTargetOf } from '../../../src/phases/identity/dpop/target-uri.ts';
import { requestOf, type RequestParts } from './identity-fixtures.ts';

const is = (htu: string, parts: RequestParts = {}): boolean => isTargetOf(htu, requestOf(parts));

describe('htu of a proof names the target of GET https://shop.example/orders', () => {
  test.each([
    'https://shop.example/orders',
    'HTTPS://Shop.Example/orders',
    'https://shop.example./orders',
    'https://shop.example:443/orders',
    'https://shop.example/%6frders',
    'https://shop.example/orders?a=b',
    'https://shop.example/orders#top',
    'https://shop.example/orders?a#b?c',
  ])('%s: it does', (htu) => expect(is(htu)).toBe(true));

  test.each([
    '',
    '/orders',
    'shop.example/orders',
    '//shop.example/orders',
    'http://shop.example/orders',
    'ftp://shop.example/orders',
    'https:/shop.example/orders',
    'https://shop.example',
    'https://shop.example/',
    'https://shop.example/Orders',
    'https://shop.example/orders/',
    'https://shop.example/orders;a',
    'https://shop.example//orders',
    'https://shop.example/x/../orders',
    'https://shop.example/./orders',
    'https://shop.example/orders%2F',
    'https://shop.example\\orders',
    'https://shop.example:8443/orders',
    'https://shop.example:80/orders',
    'https://shop.example:/orders',
    'https://user@shop.example/orders',
    'https://evil.example/orders',
    'https://shop.example.evil.example/orders',
    'https://evil.example?https://shop.example/orders',
    'https://evil.example#https://shop.example/orders',
    ' https://shop.example/orders',
    'https://shop.example/orders\n',
    'https://shop.example /orders',
  ])('%j: it does not', (htu) => expect(is(htu)).toBe(false));
});

test('the root may be written without its slash', () => {
  expect([is('https://shop.example', { target: '/' }), is('https://shop.example/', { target: '/?a=b' })]).toEqual([
    true,
    true,
  ]);
});

test('a port that is not the default of the scheme counts', () => {
  const parts = { host: 'shop.example:8443' };
  expect([is('https://shop.example:8443/orders', parts), is('https://shop.example/orders', parts)]).toEqual([
    true,
    false,
  ]);
  expect(is('https://shop.example/orders', { host: 'shop.example:443' })).toBe(true);
});

test('http is right where the proxy saw http; https always is, because TLS may end before the proxy', () => {
  const parts = { scheme: 'http' };
  expect(is('http://shop.example/orders', parts)).toBe(true);
  expect(is('http://shop.example:80/orders', parts)).toBe(true);
  expect(is('https://shop.example/orders', parts)).toBe(true);
  expect(is('http://shop.example:443/orders', parts)).toBe(false);
});

test('addresses have one form', () => {
  expect(is('http://[2001:DB8:0::1]:8080/orders', { host: '[2001:db8::1]:8080', scheme: 'http' })).toBe(true);
  expect(is('http://127.0.0.1:8080/orders', { host: '127.0.0.1:8080', scheme: 'http' })).toBe(true);
});
