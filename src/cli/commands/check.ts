import { createSecureContext } from 'node:tls';
import { InvalidArgumentError, Option } from 'commander';
import { Failure } from '../../core/failure.ts';
import type { AskOptions, CheckReport } from '../../runtime/check-report.ts';
import { isAddress } from '../../std/address-identity.ts';
import { parseDuration } from '../../std/duration.ts';
import { printable } from '../../std/printable.ts';
import { formatSocketAddress, parseSocketAddress } from '../../std/socket-address.ts';
import { UsageError, type CommandContext, type CommandDetails } from '../cli-command.ts';
import type { CliIo } from '../cli-io.ts';
import { outcomeInWords } from '../outcome-in-words.ts';
import { formatData, outputOption, type OutputFormat } from '../print-data.ts';
import { readText } from '../read-token.ts';
import { addRequestFlags, readRequestFlags, type RequestFlags } from '../request-flags.ts';

interface CheckFlags extends RequestFlags {
  readonly address: string;
  readonly timeout: number;
  readonly tls?: true;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsServerName?: string;
  readonly expect: Expectation;
  readonly output: OutputFormat;
}

const expectations = ['allow', 'deny', 'any'] as const;
type Expectation = (typeof expectations)[number];

export const details: CommandDetails = {
  description: `Asks a running service about one request, as Envoy would (one ext_authz Check over gRPC), and prints what Envoy would do with it: \
the decision with its status, code and id, the headers that the service behind would see set or removed, and those of the answer. \
The request is described as for curl. Nothing is sent anywhere but to the service that is asked; the token is not printed.`,
  examples: [
    ['portcullis check http://api.example.com/orders', 'a GET without a token, asked on 127.0.0.1:9001'],
    [
      "portcullis check --address 10.0.0.7:9001 -X POST -H 'x-tenant: acme' --token @token.txt 'http://api.example.com/orders?x=1'",
      'a method, a header, and a token out of a file',
    ],
    [
      'portcullis check --context portcullis.dev/policy=shop/by-name http://any.example/',
      'a policy that is attached by name',
    ],
    [
      'portcullis check --tls-ca ca.crt --address 127.0.0.1:9001 --tls-server-name portcullis.portcullis.svc http://api.example.com/',
      'over TLS, through `kubectl port-forward`',
    ],
    ['portcullis check -o json http://api.example.com/admin', 'for scripts'],
    [
      'portcullis check --expect any --address portcullis.portcullis.svc:9001 http://any.example/',
      'whether it serves at all, whatever its policies say',
    ],
  ],
  exitCodes: {
    ok: 'the request is allowed, or what --expect says came back',
    failed: 'the request is denied, or not what --expect says came back',
    usage: 'the command line is wrong',
    unreachable: 'the service could not be reached, or its answer is none',
  },
  configure(command, context) {
    addRequestFlags(command);
    command
      .option(
        '--address <ADDRESS>',
        'the gRPC port of the service: HOST:PORT or unix:PATH',
        readAddress,
        '127.0.0.1:9001',
      )
      .addOption(
        new Option('--timeout <DURATION>', 'how long to wait for the answer')
          .argParser(readTimeout)
          .default(5000, '5s'),
      )
      .option('--tls', 'over TLS; so do the four below')
      .option('--tls-ca <FILE>', "PEM certificates that may have signed the service's")
      .option('--tls-cert <FILE>', 'PEM certificate of the client, for a service that asks for one')
      .option('--tls-key <FILE>', 'its PEM key')
      .option(
        '--tls-server-name <NAME>',
        "the name that is asked for (SNI) and that the service's certificate must hold, where --address has another, as through kubectl port-forward",
        readServerName,
      )
      .addOption(
        new Option(
          '--expect <DECISION>',
          'what exit code 0 stands for; a denial of 500 and above, which is the fault of the service, never is as expected',
        )
          .choices(expectations)
          .default('allow'),
      )
      .addOption(outputOption('table', 'json', 'yaml'))
      .action((url: string, flags: CheckFlags) => check(url, flags, context));
  },
};

function readAddress(text: string): string {
  const address = parseSocketAddress(text);
  if (address === undefined) throw new InvalidArgumentError('An address is HOST:PORT or unix:PATH.');
  return formatSocketAddress(address);
}

function readServerName(text: string): string {
  // An address is no name to ask for (RFC 6066 3).
  if (!/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?$/.test(text) || isAddress(text))
    throw new InvalidArgumentError('A server name is a DNS name, such as portcullis.portcullis.svc.');
  return text;
}

function readTimeout(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds <= 0)
    throw new InvalidArgumentError('A duration is written as 500ms, 5s or 1m.');
  return milliseconds;
}

async function check(url: string, flags: CheckFlags, { io, registry, exit }: CommandContext): Promise<void> {
  const request = await readRequestFlags(url, flags, io);
  const tls = await readTls(flags, io);
  const askService = await registry.askService();
  let report: CheckReport;
  try {
    report = await askService(flags.address, request, { timeoutMs: flags.timeout, tls });
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    io.stderr(`portcullis: ${flags.address}: ${printable(thrown.message)} [${thrown.code}]\n`);
    exit(3);
    return;
  }
  io.stdout(formatData(report, flags.output, () => formatReport(report)));
  if (!isExpected(report, flags.expect)) exit(1);
}

function isExpected({ decision, status }: CheckReport, expectation: Expectation): boolean {
  if (decision === 'allow') return expectation !== 'deny';
  return expectation !== 'allow' && status < 500;
}

async function readTls(flags: CheckFlags, io: CliIo): Promise<AskOptions['tls']> {
  const { tls, tlsCa, tlsCert, tlsKey, tlsServerName } = flags;
  if ([tls, tlsCa, tlsCert, tlsKey, tlsServerName].every((flag) => flag === undefined)) return undefined;
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new UsageError('--tls-cert and --tls-key belong together; give both');
  const read = async (file: string | undefined): Promise<string | undefined> =>
    file === undefined ? undefined : readText(`@${file}`, io);
  const files = { ca: await read(tlsCa), certificate: await read(tlsCert), key: await read(tlsKey) };
  try {
    createSecureContext({ ca: files.ca, cert: files.certificate, key: files.key });
  } catch {
    throw new UsageError(
      '--tls-ca, --tls-cert and --tls-key cannot be used together: each is PEM, and the key, without a passphrase, is that of the certificate',
    );
  }
  return { ...files, serverName: tlsServerName };
}

/** A line each; `+` is set or added, `-` removed. */
function formatReport(report: CheckReport): string {
  const { decision, status, code, message, decisionId, policy, rule } = report;
  const lines = [
    `${decision === 'allow' ? 'ALLOWED' : `${outcomeInWords(status)} ${status}`}${code === undefined ? '' : ` ${code}`}`,
    ...(message === undefined ? [] : [message]),
    ...(policy === undefined ? [] : [`by ${policy}${rule === undefined ? '' : ` ${rule}`}`]),
    ...(decisionId === undefined ? [] : [`decision ${decisionId}`]),
    ...section('the service behind sees', [
      ...report.setHeaders.map(([name, value]) => `+ ${name}: ${value}`),
      ...report.removeHeaders.map((name) => `- ${name}`),
      ...report.removeQueryParameters.map((name) => `- ?${name}`),
    ]),
    ...section(
      'the answer to the client has',
      report.responseHeaders.map(([name, value]) => `+ ${name}: ${value}`),
    ),
    // A body that says more than code, message and id is a policy's own.
    ...section('with the body', report.body === '' || message !== undefined ? [] : [report.body]),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => `  ${line}`)];
}
