import { expect, test } from 'vitest';
import { printConfigJson, printConfigYaml } from '../../../src/runtime/config/print-config.ts';
import { resolve } from './config-fixtures.ts';

const env = {
  PORTCULLIS_POLICIES: 'true # not a comment',
  PORTCULLIS_ADMIN_ADDRESS: '',
  PORTCULLIS_HOST_GRANTS: 'shop=*.example.com',
};
const file = 'maxHeaders: 50\ngrpcAddress: unix:/run/p.sock\nlogDecisionsSample: 0.5\n';

test('what is printed as YAML is a config file that means the same', () => {
  const resolved = resolve(env, file);
  if (!resolved.ok) throw new Error('the settings are valid');
  const again = resolve({}, printConfigYaml(resolved.settings));
  expect(again.ok && again.config).toEqual(resolved.config);
});

test('each line says where its value comes from', () => {
  const resolved = resolve(env, file);
  const lines = resolved.ok ? printConfigYaml(resolved.settings).split('\n') : [];
  expect(lines).toEqual(
    expect.arrayContaining([
      'policies: "true # not a comment" # PORTCULLIS_POLICIES',
      'maxHeaders: 50 # config.yaml:1:1',
      'checkTimeout: "5s" # default',
      'adminAddress: "" # PORTCULLIS_ADMIN_ADDRESS',
    ]),
  );
});

test('a setting that was not given and cannot be written so is a comment', () => {
  const resolved = resolve({ PORTCULLIS_POLICIES: 'p' });
  expect(resolved.ok && printConfigYaml(resolved.settings).split('\n')[1]).toBe('# hostGrants: {} # default');
});

test('as JSON each value stands beside its origin', () => {
  const resolved = resolve(env, file);
  const printed: unknown = resolved.ok ? JSON.parse(printConfigJson(resolved.settings)) : undefined;
  expect(printed).toMatchObject({
    hostGrants: { value: { shop: ['*.example.com'] }, origin: 'PORTCULLIS_HOST_GRANTS' },
    maxHeaders: { value: 50, origin: 'config.yaml:1:1' },
    checkTimeout: { value: '5s', origin: 'default' },
  });
});
