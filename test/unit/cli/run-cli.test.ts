import { describe, expect, test } from 'vitest';
import { commands } from '../../../src/cli/commands.ts';
import { readVersion } from '../../../src/runtime/version.ts';
import { run } from './cli-fixtures.ts';

describe('help', () => {
  test('without a command the help is printed, and that is a mistake', async () => {
    const { exitCode, stdout, stderr } = await run([]);
    expect([exitCode, stderr]).toEqual([2, '']);
    for (const { name, summary } of commands) expect(stdout).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
  });

  test.each([['--help'], ['-h'], ['help']])('%s prints it and is none', async (...args) => {
    const { exitCode, stdout } = await run(args);
    expect([exitCode, stdout]).toEqual([0, (await run([])).stdout]);
  });

  test.each(commands.map(({ name }) => name))(
    '%s --help says what it does, with examples and exit codes',
    async (name) => {
      const { exitCode, stdout, stderr } = await run([name, '--help']);
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(new RegExp(`^Usage: portcullis ${name} .*\n\n[A-Z].*\n`));
      expect(stdout).toMatch(/\nExamples:\n {2}\$ .*portcullis .*\n {6}\S/);
      expect(stdout).toMatch(/\nExit codes:\n {2}0 {2}\S/);
      expect(await run(['help', name])).toEqual({ exitCode: 0, stdout, stderr: '' });
    },
  );

  test('serve --help names flag, variable and default of a setting', async () => {
    const text = (await run(['serve', '--help'])).stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain(
      '--grpc-address <ADDRESS> Where Envoy asks: ext_authz and health over gRPC. [PORTCULLIS_GRPC_ADDRESS; default 0.0.0.0:9001]',
    );
  });

  test('serve --help has the codes of a second signal, and other commands do not', async () => {
    const codesOf = async (name: string): Promise<readonly string[]> =>
      [...(await run([name, '--help'])).stdout.matchAll(/^ {2}(\d+) {2}\S/gm)].map(([, code = '']) => code);
    expect(await codesOf('serve')).toEqual(['0', '1', '2', '130', '143']);
    expect(await codesOf('validate')).toEqual(['0', '1', '2']);
  });
});

test.each([['serve'], ['validate']])('%s --help says what counts as a file of policies', async (name) => {
  const text = (await run([name, '--help'])).stdout.replaceAll(/\s+/g, ' ');
  expect(text).toContain('*.yaml, *.yml and *.json, also in folders below; names with a leading dot are passed over.');
});

describe('mistakes on the command line are one line with the remedy, and exit code 2', () => {
  test.each([
    [['serv'], "portcullis: unknown command 'serv' (Did you mean serve?); see portcullis --help"],
    [['--polices', 'x'], "portcullis: unknown option '--polices'; see portcullis --help"],
    [
      ['serve', '--polices', 'x'],
      "portcullis: unknown option '--polices' (Did you mean --policies?); see portcullis serve --help",
    ],
    [['serve', '--policies'], "portcullis: option '--policies <DIR>' argument missing; see portcullis serve --help"],
    [['serve', 'extra'], 'portcullis: serve takes no argument; write --policies extra; see portcullis serve --help'],
    [
      ['version', 'extra'],
      "portcullis: too many arguments for 'version'. Expected 0 arguments but got 1: extra; see portcullis version --help",
    ],
    [['help', 'servee'], "portcullis: unknown command 'servee' (Did you mean serve?); see portcullis --help"],
    [['help', 'xyz'], "portcullis: unknown command 'xyz'; see portcullis --help"],
    [
      ['serve', '-o', 'json'],
      'portcullis: --output says how to print the settings; give --print-config too; see portcullis serve --help',
    ],
    [
      ['validate'],
      'portcullis: nothing to validate; name files or folders, or - for standard input; see portcullis validate --help',
    ],
    [
      ['validate', '-', '-f', '-'],
      'portcullis: standard input can be read only once; give - once; see portcullis validate --help',
    ],
    [
      ['version', '-o', 'xml'],
      "portcullis: option '-o, --output <FORMAT>' argument 'xml' is invalid. Allowed choices are table, json, yaml; see portcullis version --help",
    ],
    [
      ['dev', '--port', '65536'],
      "portcullis: option '--port <PORT>' argument '65536' is invalid. A port is a whole number from 0 to 65535; see portcullis dev --help",
    ],
  ])('%j', async (args, line) => {
    expect(await run(args)).toEqual({ exitCode: 2, stdout: '', stderr: `${line}\n` });
  });
});

describe('version', () => {
  const { node } = process.versions;
  const version = readVersion();

  test.each([
    [['version'], `portcullis ${version} (node ${node})\n`],
    [['--version'], `portcullis ${version} (node ${node})\n`],
    [['version', '-o', 'json'], `{\n  "version": "${version}",\n  "node": "${node}"\n}\n`],
    [['version', '-o', 'yaml'], `version: "${version}"\nnode: "${node}"\n`],
  ])('%j', async (args, stdout) => {
    expect(await run(args)).toEqual({ exitCode: 0, stdout, stderr: '' });
  });
});
