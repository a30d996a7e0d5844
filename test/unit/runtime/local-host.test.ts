import { expect, test } from 'vitest';
import { isLocalHost } from '../../../src/runtime/local-host.ts';

test.each(['localhost', 'localhost.', 'a.localhost:1', '127.0.0.1', '[::1]', '192.0.2.1:9003'])(
  '%s is local or an address',
  (host) => {
    expect(isLocalHost(host)).toBe(true);
  },
);

test.each([
  undefined,
  '',
  'example.com',
  'localhost.com',
  'xlocalhost',
  'user@localhost',
  '0x7f.1',
  '2130706433',
  '127.0.0.1.nip.example',
])('%s is neither', (host) => {
  expect(isLocalHost(host)).toBe(false);
});
