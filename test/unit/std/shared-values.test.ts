import { expect, test } from 'vitest';
import { compileOnce, createSharedValues } from '../../../src/std/shared-values.ts';

test('a value that says the same is the first one, and one that does not is itself', () => {
  const share = createSharedValues<object>();
  const first = { roles: ['reader'], none: undefined };
  expect(share(first)).toBe(first);
  expect(share({ roles: ['reader'] })).toBe(first);
  for (const other of [{ roles: ['Reader'] }, { roles: 'reader' }, { roles: ['reader', 'clerk'] }, ['reader']])
    expect(share(other)).toBe(other);
});

test('a list of the texts of numbers is not a list of numbers', () => {
  const share = createSharedValues<object>();
  const texts = share({ values: ['1', 'true', 'null'] });
  expect(share({ values: [1, true, null] })).not.toBe(texts);
});

test('an object is compiled once, another that looks like it for itself, and undefined is a result too', () => {
  let compiled = 0;
  const compile = compileOnce((spec: { readonly name: string | undefined }) => {
    compiled++;
    return spec.name;
  });
  const [one, other, none] = [{ name: 'a' }, { name: 'a' }, { name: undefined }];
  expect([compile(one), compile(one), compile(other), compile(none), compile(none)]).toEqual([
    'a',
    'a',
    'a',
    undefined,
    undefined,
  ]);
  expect(compiled).toBe(3);
});
