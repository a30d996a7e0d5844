import { expect, test } from 'vitest';
import { compileClaimPath } from '../../../src/core/claim-path.ts';

const claims = JSON.parse(
  '{"a":1,"a/b":2,"m~n":3,"o":{"p":{"q":["x",{"y":4}]}},"/s":5,"":{"":6},"__proto__":{"z":7},"https://acme.com/tenant":"t"}',
);

test.each([
  ['a', 1],
  ['a/b', 2],
  ['https://acme.com/tenant', 't'],
  ['/o/p/q/0', 'x'],
  ['/o/p/q/1/y', 4],
  ['/a~1b', 2],
  ['/m~0n', 3],
  ['/~1s', 5],
  ['//', 6],
  ['__proto__', { z: 7 }],
  ['/__proto__/z', 7],
])('%s is there', (name, value) => {
  expect(compileClaimPath(name)(claims)).toEqual(value);
});

test.each([
  ['b'],
  ['constructor'],
  ['toString'],
  ['/constructor/name'],
  ['/o/p/q/2'],
  ['/o/p/q/00'],
  ['/o/p/q/-'],
  ['/o/p/q/length'],
  ['/a/0'],
  ['/https:~1~1acme.com~1tenant/length'],
  ['/o/x/y'],
])('%s is not', (name) => {
  expect(compileClaimPath(name)(claims)).toBeUndefined();
});
