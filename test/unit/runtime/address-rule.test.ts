import { describe, expect, test } from 'vitest';
import { compileAddressRule } from '../../../src/runtime/address-rule.ts';
import { classifyAddress } from '../../../src/std/classify-address.ts';

describe('the class of an address', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['2606:4700::1111', 'public'],
    ['::ffff:8.8.8.8', 'public'],
    ['64:ff9b::808:808', 'public'],
    ['2002:808:808::1', 'public'],
    ['127.0.0.1', 'private'],
    ['127.255.255.254', 'private'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['::1', 'private'],
    ['::ffff:127.0.0.1', 'private'],
    ['::FFFF:7F00:1', 'private'],
    ['0:0:0:0:0:ffff:10.0.0.1', 'private'],
    ['::127.0.0.1', 'private'],
    ['64:ff9b::127.0.0.1', 'private'],
    ['64:ff9b::a00:1', 'private'],
    ['2002:7f00:1::', 'private'],
    ['fd12:3456::1', 'private'],
    ['fc00::1', 'private'],
    ['169.254.169.254', 'never'],
    ['::ffff:169.254.169.254', 'never'],
    ['64:ff9b::a9fe:a9fe', 'never'],
    ['2002:a9fe:a9fe::', 'never'],
    ['::169.254.169.254', 'never'],
    ['::ffff:0:169.254.169.254', 'never'],
    ['::ffff:0:a00:1', 'private'],
    ['::ffff:0:808:808', 'public'],
    ['64:ff9b:1::a00:1', 'never'],
    ['2001:0:4136:e378::1', 'never'],
    ['fe80::1', 'never'],
    ['fd00:ec2::254', 'never'],
    ['100.100.100.200', 'never'],
    ['0.0.0.0', 'never'],
    ['::', 'never'],
    ['0.1.2.3', 'never'],
    ['255.255.255.255', 'never'],
    ['224.0.0.1', 'never'],
    ['ff02::1', 'never'],
    ['fe80::1%eth0', 'never'],
    ['0177.0.0.1', 'never'],
    ['2130706433', 'never'],
    ['localhost', 'never'],
    ['', 'never'],
  ])('%s is %s', (address, expected) => {
    expect(classifyAddress(address)).toBe(expected);
  });
});

test('private addresses are called only where they are allowed, all or by range; cleartext goes to them alone', () => {
  const closed = compileAddressRule({ allowPrivateAddresses: false, allowedAddresses: [] });
  const range = compileAddressRule({
    allowPrivateAddresses: false,
    allowedAddresses: ['10.0.0.0/8', '169.254.0.0/16'],
  });
  const open = compileAddressRule({ allowPrivateAddresses: true, allowedAddresses: [] });
  const verdicts = (address: string, protocol: 'http:' | 'https:'): boolean[] =>
    [closed, range, open].map((rule) => rule.refuse(address, protocol) === undefined);
  expect(verdicts('10.1.2.3', 'https:')).toEqual([false, true, true]);
  expect(verdicts('::ffff:10.1.2.3', 'http:')).toEqual([false, true, true]);
  expect(verdicts('192.168.0.1', 'https:')).toEqual([false, false, true]);
  expect(verdicts('169.254.169.254', 'https:')).toEqual([false, false, false]);
  expect(verdicts('fd00:ec2::254', 'http:')).toEqual([false, false, false]);
  expect(verdicts('8.8.8.8', 'https:')).toEqual([true, true, true]);
  expect(verdicts('8.8.8.8', 'http:')).toEqual([false, false, false]);
});
