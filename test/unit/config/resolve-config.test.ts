import { describe, expect, test } from 'vitest';
import { formatPlace, namedPlace } from '../../../src/runtime/config/given-value.ts';
import { resolveConfig } from '../../../src/runtime/config/resolve-config.ts';
import { outline, problemsOf, resolve } from './config-fixtures.ts';

const policies = { PORTCULLIS_POLICIES: 'policies' };

describe('precedence', () => {
  test('a flag goes before a variable, a variable before the file, the file before the default', () => {
    const layers = (['--max-headers', 'PORTCULLIS_MAX_HEADERS', 'config.yaml'] as const).map((source, index) => [
      { key: 'policies' as const, form: { kind: 'texts' as const, texts: ['p'] }, origin: namedPlace(source) },
      {
        key: 'maxHeaders' as const,
        form: { kind: 'texts' as const, texts: [String(100 + index)] },
        origin: namedPlace(source),
      },
    ]);
    const inForce = [0, 1, 2].map((from) => {
      const resolved = resolveConfig(layers.slice(from), []);
      const setting = resolved.ok ? resolved.settings.find(({ key }) => key === 'maxHeaders') : undefined;
      return [setting?.value, setting?.origin && formatPlace(setting.origin)];
    });
    expect(inForce).toEqual([
      [100, '--max-headers'],
      [101, 'PORTCULLIS_MAX_HEADERS'],
      [102, 'config.yaml'],
    ]);
  });

  test('a value that another overrides is checked all the same', () => {
    const resolved = resolve({ ...policies, PORTCULLIS_MAX_HEADERS: '100' }, 'maxHeaders: many\n');
    expect(outline(problemsOf(resolved))).toEqual(['config.yaml:1:1: error: invalid-value']);
  });

  test('the origin of a value in the file is its line', () => {
    const resolved = resolve(policies, '# settings\n\nmaxHeaders: 100\n');
    const origin = resolved.ok ? resolved.settings.find(({ key }) => key === 'maxHeaders')?.origin : undefined;
    expect(origin).toEqual({ source: 'config.yaml', line: 3, column: 1 });
  });
});

describe('mistakes', () => {
  test('each is one error with its origin, its value and what it should have been', () => {
    const resolved = resolve({ ...policies, PORTCULLIS_CHECK_TIMEOUT: 'soon' }, 'maxHeaders: 5\nlogLevel: loud\n');
    expect(problemsOf(resolved).map(({ place, message }) => `${formatPlace(place)}: ${message}`)).toEqual([
      'PORTCULLIS_CHECK_TIMEOUT: checkTimeout is "soon", and must be a duration such as 500ms, 5s, 10m or 24h, from 10ms to 10m.',
      'config.yaml:1:1: maxHeaders is 5, and must be a whole number from 10 to 1000.',
      'config.yaml:2:1: logLevel is "loud", and must be one of debug, info, warn, error.',
    ]);
  });

  test('of a list or map the part that is wrong is named', () => {
    const file = [
      'hostGrants: {shop: [api.example.com, "https://b.example"]}',
      'watchNamespaces: [shop, Pay]',
      'ownedHeaders: [host]',
      'allowedPrivateAddresses: [10.0.0.1/8]',
    ].join('\n');
    const grants = { PORTCULLIS_HOST_GRANTS: 'shop=a.example.com,pay=b.example.com:80' };
    expect(problemsOf(resolve({ ...policies, ...grants }, file)).map(({ field, message }) => [field, message])).toEqual(
      [
        ['hostGrants', 'hostGrants is "pay=b.example.com:80", and must be NAMESPACE=HOST such as shop=*.example.com.'],
        [
          'hostGrants.shop[1]',
          'hostGrants.shop[1] is "https://b.example", and must be a host such as api.example.com or *.example.com, without scheme, port or path, or *.',
        ],
        ['watchNamespaces[1]', 'watchNamespaces[1] is "Pay", and must be the name of a namespace such as shop.'],
        [
          'ownedHeaders[0]',
          'ownedHeaders[0] is "host", and must be the name of a header such as x-user, none that belongs to the protocol.',
        ],
        [
          'allowedPrivateAddresses[0]',
          'allowedPrivateAddresses[0] is "10.0.0.1/8", and must be a range of addresses such as 10.0.0.0/8 or fd00::/8.',
        ],
      ],
    );
  });

  test.each([
    ['{Shop: [a.example.com]}', 'hostGrants.Shop', 'under the name of a namespace, such as shop'],
    ['{shop: a.example.com}', 'hostGrants.shop', 'a list of hosts such as ["*.example.com"], at least one'],
    ['{shop: []}', 'hostGrants.shop', 'a list of hosts such as ["*.example.com"], at least one'],
  ])('of host grants %s it is %s', (grants, field, expected) => {
    expect(problemsOf(resolve(policies, `hostGrants: ${grants}\n`))).toEqual([
      expect.objectContaining({ field, message: expect.stringContaining(`, and must be ${expected}.`) }),
    ]);
  });

  test('a long value is cut', () => {
    const [problem] = problemsOf(resolve({ ...policies, PORTCULLIS_LOG_LEVEL: 'x'.repeat(5000) }));
    expect(problem?.message).toBe(`logLevel is "${'x'.repeat(76)}..., and must be one of debug, info, warn, error.`);
  });

  test('a setting that is required and missing says how to give it', () => {
    expect(problemsOf(resolve({})).map(({ message }) => message)).toEqual([
      'policies is required outside of a pod: give --policies DIR, PORTCULLIS_POLICIES or policies in the file of --config, or --kubeconfig FILE for the policies of a cluster.',
    ]);
  });

  test('a folder of policies may have a cluster beside it, which is asked for reviews', () => {
    expect(problemsOf(resolve({ ...policies, PORTCULLIS_KUBECONFIG: 'config' }))).toEqual([]);
  });

  test('a required setting that is wrong is not missing too', () => {
    expect(outline(problemsOf(resolve({ PORTCULLIS_POLICIES: '' })))).toEqual([
      'PORTCULLIS_POLICIES: error: invalid-value',
    ]);
  });

  test('an unknown key of the file is an error that names the nearest one', () => {
    const [problem, ...others] = problemsOf(resolve(policies, 'policies: x\ngrpcAdress: 0.0.0.0:1\n'));
    expect(others).toEqual([]);
    expect(problem).toEqual({
      code: 'unknown-field',
      severity: 'error',
      message: 'There is no setting "grpcAdress". Did you mean grpcAddress?',
      field: 'grpcAdress',
      place: { source: 'config.yaml', line: 2, column: 1 },
    });
  });

  test.each(['__proto__', 'constructor', 'toString'])('%s is an unknown key like any other', (key) => {
    expect(outline(problemsOf(resolve(policies, `${key}: 1\n`)))).toEqual(['config.yaml:1:1: error: unknown-field']);
  });

  test.each([
    ['a list', '- policies\n', 'config.yaml:1:1: error: invalid-value'],
    ['a text', 'policies\n', 'config.yaml:1:1: error: invalid-value'],
    ['two documents', 'maxHeaders: 10\n---\nmaxHeaders: 20\n', 'config.yaml:3:1: error: invalid-value'],
    ['a key that is there twice', 'maxHeaders: 10\nmaxHeaders: 20\n', 'config.yaml:2:1: error: not-yaml'],
  ])('a config file that is %s is refused', (_what, text, expected) => {
    expect(outline(problemsOf(resolve(policies, text)))).toEqual([expected]);
  });

  test('a config file that is not YAML is refused', () => {
    const resolved = resolve(policies, 'policies: [\n');
    expect([resolved.ok, new Set(problemsOf(resolved).map(({ code }) => code))]).toEqual([
      false,
      new Set(['not-yaml']),
    ]);
  });

  test('an empty config file changes nothing', () => {
    expect(resolve(policies, '# nothing yet\n').ok).toBe(true);
  });
});

describe('warnings', () => {
  test('an unknown variable of ours is named with the nearest one, and changes nothing', () => {
    const resolved = resolve({ ...policies, PORTCULLIS_LOG_LEVLE: 'debug', OTHER_LOG_LEVEL: 'x' });
    expect(resolved.ok && resolved.warnings.map(({ message }) => message)).toEqual([
      'No setting has the variable PORTCULLIS_LOG_LEVLE; it is ignored. Did you mean PORTCULLIS_LOG_LEVEL?',
    ]);
  });

  test('variables that Kubernetes makes for a Service named portcullis are not ours', () => {
    const links = {
      PORTCULLIS_SERVICE_HOST: '10.0.0.1',
      PORTCULLIS_SERVICE_PORT: '9001',
      PORTCULLIS_SERVICE_PORT_GRPC: '9001',
      PORTCULLIS_PORT: 'tcp://10.0.0.1:9001',
      PORTCULLIS_PORT_9001_TCP: 'tcp://10.0.0.1:9001',
      PORTCULLIS_PORT_9001_TCP_ADDR: '10.0.0.1',
      PORTCULLIS_GRPC_SERVICE_HOST: '10.0.0.1',
      PORTCULLIS_GRPC_PORT_9001_TCP_PROTO: 'tcp',
    };
    expect(outline(problemsOf(resolve({ ...policies, ...links })))).toEqual([]);
  });

  test('an admin address that others can reach, and keys that outlive no failure, are warnings', () => {
    const resolved = resolve(policies, 'adminAddress: 0.0.0.0:9003\nkeyStaleWindow: 1m\n');
    expect(outline(problemsOf(resolved))).toEqual([
      'config.yaml:2:1: warning: invalid-value',
      'config.yaml:1:1: warning: invalid-value',
    ]);
  });

  test('an admin address of the loopback is none', () => {
    for (const address of ['127.0.0.2:1', '[::1]:1', 'localhost:1', '']) {
      expect(outline(problemsOf(resolve({ ...policies, PORTCULLIS_ADMIN_ADDRESS: address })))).toEqual([]);
    }
  });
});
