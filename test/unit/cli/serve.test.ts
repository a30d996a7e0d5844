import { describe, expect, test } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import type { Config } from '../../../src/runtime/config/settings.ts';
import type { StartService } from '../../../src/runtime/running-service.ts';
import { createFakeProcess, emptyStatus } from '../runtime/runtime-fixtures.ts';
import { run } from './cli-fixtures.ts';

describe('settings', () => {
  test('what is wrong is one line each with its origin, and exit code 2', async () => {
    expect(await run(['serve', '--max-headers', '5'], { env: { PORTCULLIS_CHECK_TIMEOUT: 'soon' } })).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: `portcullis: --max-headers: error: maxHeaders is "5", and must be a whole number from 10 to 1000. [invalid-value]
portcullis: PORTCULLIS_CHECK_TIMEOUT: error: checkTimeout is "soon", and must be a duration such as 500ms, 5s, 10m or 24h, from 10ms to 10m. [invalid-value]
portcullis: --policies: error: policies is required outside of a pod: give --policies DIR, PORTCULLIS_POLICIES or policies in the file of --config, or --kubeconfig FILE for the policies of a cluster. [missing-field]
`,
    });
  });

  test('--print-config prints what is in force and where it comes from, and serves nothing', async () => {
    const args = [
      'serve',
      '--policies',
      'p',
      '--host-grant',
      'a=x.example',
      '--host-grant=b=*',
      '--admin-address',
      '',
      '--print-config',
    ];
    const { exitCode, stdout, stderr } = await run(args, {
      env: { PORTCULLIS_LOG_LEVEL: 'warn', PORTCULLIS_LOG_LEVLE: 'x' },
    });
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'policies: "p" # --policies',
        'hostGrants: {"a":["x.example"],"b":["*"]} # --host-grant',
        'adminAddress: "" # --admin-address',
        'logLevel: "warn" # PORTCULLIS_LOG_LEVEL',
        'maxHeaders: 200 # default',
      ]),
    );
    expect(stderr).toMatch(/^portcullis: PORTCULLIS_LOG_LEVLE: warning: .*\n$/);
  });

  test('--print-config -o json is for scripts', async () => {
    const { stdout } = await run(['serve', '--policies', 'p', '--print-config', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      policies: { value: 'p', origin: '--policies' },
      logLevel: { origin: 'default' },
    });
  });

  test.each([
    [[], false],
    [['--allow-private-addresses'], true],
    [['--allow-private-addresses=false'], false],
    [['--allow-private-addresses', 'true'], true],
    [['--allow-private-addresses=false', '--allow-private-addresses'], true],
  ])('the switch given as %j is %s', async (flags, value) => {
    const { stdout } = await run(['serve', '--policies', 'p', ...flags, '--print-config', '-o', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ allowPrivateAddresses: { value } });
  });
});

describe('serving', () => {
  const flags = ['serve', '--policies', 'p', '--log-level', 'error', '--max-headers', '50'];

  test('it starts the service with the settings, and ends with 0 after a signal', async () => {
    const process = createFakeProcess();
    const configs: Config[] = [];
    const startService: StartService = (config) => {
      configs.push(config);
      setImmediate(() => process.emit('SIGTERM'));
      return Promise.resolve({
        grpcAddress: 'unix:/p',
        httpAddress: '0.0.0.0:1',
        adminAddress: undefined,
        ready: Promise.resolve(),
        status: () => emptyStatus,
        stop: () => Promise.resolve(),
      });
    };
    const ran = await run(flags, { process, registry: { startService: () => Promise.resolve(startService) } });
    expect(ran).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(configs).toMatchObject([{ policies: 'p', maxHeaders: 50, logLevel: 'error' }]);
  });

  test('a service that cannot start is one line on stderr and exit code 1', async () => {
    const startService: StartService = () => Promise.reject(new Failure('address_in_use', '0.0.0.0:9001 is in use.'));
    expect(await run(flags, { registry: { startService: () => Promise.resolve(startService) } })).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'portcullis: 0.0.0.0:9001 is in use. [address_in_use]\n',
    });
  });
});
