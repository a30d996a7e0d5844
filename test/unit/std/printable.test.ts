import { expect, test } from 'vitest';
import { printable } from '../../../src/std/printable.ts';

test.each([
  ['plain, "quoted" and ünïcode 漢字 😀', 'plain, "quoted" and ünïcode 漢字 😀'],
  ['\u001b[31mred\r\n', '\\u001b[31mred\\u000d\\u000a'],
  ['\u009b\u202eturned\u2066\u2028\u200f', '\\u009b\\u202eturned\\u2066\\u2028\\u200f'],
])('%j is shown as %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});
