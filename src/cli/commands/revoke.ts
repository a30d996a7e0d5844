import { InvalidArgumentError, Option } from 'commander';
import type { JsonObject } from '../../core/json.ts';
import { Failure } from '../../core/failure.ts';
import { revocationTargets, type RevocationTarget } from '../../core/revocation.ts';
import { readRevocation } from '../../policy/revocations/read-revocation.ts';
import type { RevocationReport } from '../../runtime/revocation-report.ts';
import { parseDuration } from '../../std/duration.ts';
import { printable } from '../../std/printable.ts';
import { formatSocketAddress, parseSocketAddress } from '../../std/socket-address.ts';
import { UsageError, type CommandContext, type CommandDetails } from '../cli-command.ts';
import { formatData, outputOption, type OutputFormat } from '../print-data.ts';
import { readToken } from '../read-token.ts';

interface RevokeFlags extends Partial<Record<Exclude<RevocationTarget, 'subWithoutSid'>, string>> {
  readonly address: string;
  readonly tokenFile?: string;
  readonly timeout: number;
  readonly issuer?: string;
  readonly namespace?: string;
  readonly provider?: string;
  readonly subWithoutSid?: string;
  readonly issuedBefore?: string;
  readonly expiresAt?: string;
  readonly printEntry?: true;
  readonly output: OutputFormat;
}

export const details: CommandDetails = {
  description: `Refuses tokens before their end: asks the admin address of a running service. That service alone refuses them, unless it shares \
revocations through Redis; the answer says which. --print-entry asks nobody and prints the line for the ConfigMap or the file that \
every replica reads. Without --issued-before everything of a subject, session or client is refused, also what is issued later, until the revocation ends. \
--issuer means the credentials that say one: those of other kinds of providers (API keys, passwords, client certificates, SharedSecretJWT, ServiceAccount, \
Introspection without iss) are named by --provider.`,
  examples: [
    [
      'portcullis revoke --token-file admin.token --issuer https://idp.example --sub alice --issued-before now',
      'every token that alice has now; new ones count',
    ],
    ['portcullis revoke --token-file admin.token --provider shop/okta --jti 4711', 'one token of one provider'],
    [
      'portcullis revoke --print-entry --issuer https://idp.example --client ci --expires-at 2027-01-01T00:00:00Z',
      'a line for the list that every replica reads',
    ],
  ],
  exitCodes: {
    ok: 'it is refused from now on, or the line was printed',
    failed: 'the service refused the call',
    usage: 'the command line is wrong',
    unreachable: 'the service could not be reached',
  },
  configure(command, context) {
    command
      .option('--issuer <ISSUER>', 'whose tokens: those of every provider of this issuer, as it stands in iss')
      .option('--namespace <NAME>', 'with --issuer: only of the providers of this namespace')
      .option('--provider <PROVIDER>', 'or of one provider: NAMESPACE/NAME, or NAME of a ClusterIdentityProvider')
      .option('--jti <ID>', 'the one token with this id')
      .option('--sid <ID>', 'the tokens of this session')
      .option('--sub <SUBJECT>', 'the credentials of this subject')
      .option('--sub-without-sid <SUBJECT>', 'the same, but for tokens that say their session')
      .option('--client <ID>', 'the credentials that this client obtained')
      .option('--email <ADDRESS>', 'the tokens with this address in the claim email')
      .option('--issued-before <TIME>', 'only those issued before: a time such as 2026-11-21T08:30:00Z, or now')
      .option(
        '--expires-at <TIME>',
        "when the last of them ends; without it the service's revocationRetention from now",
      )
      .option('--address <ADDRESS>', 'the admin address of the service: HOST:PORT', readAddress, '127.0.0.1:9003')
      .option('--token-file <FILE>', "a file with the service's admin token (adminTokenFile)")
      .addOption(
        new Option('--timeout <DURATION>', 'how long to wait for the answer')
          .argParser(readTimeout)
          .default(5000, '5s'),
      )
      .option('--print-entry', 'ask nobody: print the line for the list that replicas read')
      .addOption(outputOption('table', 'json', 'yaml'))
      .action((flags: RevokeFlags) => revoke(flags, context));
  },
};

async function revoke(flags: RevokeFlags, { io, registry, exit }: CommandContext): Promise<void> {
  const entry = readEntry(flags, Date.now());
  if (flags.printEntry === true) {
    io.stdout(`${JSON.stringify(entry)}\n`);
    return;
  }
  if (flags.tokenFile === undefined) throw new UsageError('give --token-file, the file with the admin token');
  const token = await readToken(`@${flags.tokenFile}`, io);
  const revokeTokens = await registry.revokeTokens();
  let report: RevocationReport;
  try {
    report = await revokeTokens(entry, { address: flags.address, token, timeoutMs: flags.timeout });
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    io.stderr(`portcullis: ${printable(thrown.message)} [${thrown.code}]\n`);
    exit(3);
    return;
  }
  io.stdout(formatData(report, flags.output, () => formatReport(report, entry)));
  if (report.kind === 'refused') exit(1);
}

/** The entry as a list has it. Throws a UsageError where it is none. */
function readEntry(flags: RevokeFlags, now: number): JsonObject {
  // Rounded up: what is issued in this second was issued before it ends.
  const issuedBefore =
    flags.issuedBefore === 'now'
      ? new Date(Math.ceil(now / 1000) * 1000).toISOString().replace('.000Z', 'Z')
      : flags.issuedBefore;
  const { issuer, namespace, provider, expiresAt } = flags;
  const names = revocationTargets.map((target) => [target, flags[target]] as const);
  const fields = [
    ...Object.entries({ issuer, namespace, provider }),
    ...names,
    ...Object.entries({ issuedBefore, expiresAt }),
  ].flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]]));
  const entry = Object.fromEntries(fields);
  const read = readRevocation(entry);
  if ('wrong' in read) throw new UsageError(read.wrong);
  return entry;
}

function formatReport(report: RevocationReport, entry: JsonObject): string {
  if (report.kind === 'refused')
    return `REFUSED ${report.status} ${printable(report.message)} [${printable(report.error)}]\n`;
  const { expiresAt: _expiresAt, ...what } = entry;
  const parts = Object.entries(what).map(([name, value]) => `${name} ${typeof value === 'string' ? value : ''}`);
  const until = report.until === '' ? '' : `, until ${report.until}`;
  return [
    `REVOKED ${parts.join(', ')}${until} (${report.scope}: ${report.note})`,
    ...report.warnings.map((warning) => `warning: ${warning}`),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

function readAddress(text: string): string {
  const address = parseSocketAddress(text);
  if (address?.kind !== 'tcp') throw new InvalidArgumentError('An admin address is HOST:PORT.');
  return formatSocketAddress(address);
}

function readTimeout(text: string): number {
  const timeout = parseDuration(text);
  if (timeout === undefined || timeout === 0) throw new InvalidArgumentError('A duration is such as 500ms or 5s.');
  return timeout;
}
