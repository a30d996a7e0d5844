import { expect, test } from 'vitest';
import { formatSocketAddress, parseSocketAddress } from '../../../src/std/socket-address.ts';

test.each([
  ['0.0.0.0:9001', { kind: 'tcp', host: '0.0.0.0', port: 9001 }],
  ['localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
  ['[::]:65535', { kind: 'tcp', host: '::', port: 65_535 }],
  ['unix:/run/portcullis/checks.sock', { kind: 'unix', path: '/run/portcullis/checks.sock' }],
  ['unix:relative', { kind: 'unix', path: 'relative' }],
])('%s is an address, and is written as it was read', (text, address) => {
  const parsed = parseSocketAddress(text);
  expect(parsed).toEqual(address);
  expect(parsed && formatSocketAddress(parsed)).toBe(text);
});

test.each([
  '',
  ':',
  ':1',
  'a',
  'a:',
  'a:b',
  'a:65536',
  'a:-1',
  'a: 1',
  '::1:1',
  '[::1',
  '[a]:1',
  'a/b:1',
  'unix:',
  'unix:a\0b',
])('%j is no address', (text) => {
  expect(parseSocketAddress(text)).toBeUndefined();
});
