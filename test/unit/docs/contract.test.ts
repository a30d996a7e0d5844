import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Where the contract is written; beside the checkout on the machines of those who change it. */
const shared = '../shared/api';

const read = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`, 'utf8')]));

test('test/contract holds the three documents of the contract, and what it leaves open and we decided', () => {
  expect(Object.keys(read('test/contract')).toSorted()).toEqual([
    'access-policies-more.yaml',
    'access-policies.yaml',
    'identity-providers.yaml',
    'policy-test.yaml',
  ]);
});

if (existsSync(shared)) {
  test('test/contract is the contract as it is written', () => {
    expect(read('test/contract')).toMatchObject(read(shared));
  });
}
