import type { TokenCheck } from '../../core/token-inspection.ts';
import type { TokenJudgement, TokenReport } from '../../runtime/token-report.ts';
import { printable } from '../../std/printable.ts';
import { UsageError, type CommandContext, type CommandDetails } from '../cli-command.ts';
import { collect, isMistakeOfTheUser, refuseTwoReaders } from '../policy-flags.ts';
import { formatData, outputOption, type OutputFormat } from '../print-data.ts';
import { readText, readToken } from '../read-token.ts';

interface TokenFlags {
  readonly policies?: readonly string[];
  readonly provider?: string;
  readonly jwks?: string;
  readonly output: OutputFormat;
}

export const details: CommandDetails = {
  description: `Decodes a token and says why it would be refused. With --policies the checks are those that serve makes, in its order, by the providers \
whose issuer the token has, and all of them are made, also behind the first refusal. Nothing is fetched: the signature is looked at with keys that stand in \
the documents or in --jwks, else it says that it was not. Header and claims are printed, the signature never; what it prints is a person's data.`,
  examples: [
    ['portcullis token @token.txt', 'header, claims, and times in words'],
    ['portcullis token --policies policies/ @token.txt', 'and what the providers of the folder say to it'],
    [
      'pbpaste | portcullis token --policies policies/ --provider shop/okta --jwks keys.json -',
      'one provider, with keys',
    ],
  ],
  exitCodes: {
    ok: 'nothing speaks against the token, as far as it was looked at',
    failed: 'it is no token, or it would be refused',
    usage: 'the command line is wrong, or the documents cannot be read',
  },
  configure(command, context) {
    command
      .argument('<TOKEN>', 'the token; @FILE reads a file, - standard input')
      .option('--policies <PATH>', 'a folder or file of documents with providers; may be repeated', collect)
      .option('--provider <NAME>', 'NAMESPACE/NAME of the provider that judges, or NAME where that is unique')
      .option('--jwks <FILE>', "a JWK Set that stands for the provider's keys")
      .addOption(outputOption('table', 'json', 'yaml'))
      .action((given: string, flags: TokenFlags) => token(given, flags, context));
  },
};

async function token(given: string, flags: TokenFlags, { io, registry, exit }: CommandContext): Promise<void> {
  const { policies = [], provider } = flags;
  if (policies.length === 0 && (provider !== undefined || flags.jwks !== undefined))
    throw new UsageError('--provider and --jwks say who judges; give --policies too');
  refuseTwoReaders([given, ...policies]);
  const text = await readToken(given, io);
  const jwks = flags.jwks === undefined ? undefined : await readText(`@${flags.jwks}`, io);
  const inspectToken = await registry.inspectToken();
  let report: TokenReport;
  try {
    report = await inspectToken({ token: text, policies, provider, jwks }, () => io.stdin());
  } catch (thrown) {
    if (isMistakeOfTheUser(thrown)) throw new UsageError(thrown.message);
    throw thrown;
  }
  io.stdout(formatData(report, flags.output, () => formatReport(report)));
  const isRefused = report.judgements.length > 0 && report.judgements.every(({ verdict }) => verdict === 'refused');
  if (report.malformed !== undefined || report.unjudged !== undefined || isRefused) exit(1);
}

function formatReport({ malformed, header, claims, times, judgements, unjudged }: TokenReport): string {
  if (malformed !== undefined) return `REFUSED ${printable(malformed.message)} [${malformed.code}]\n`;
  const lines = [
    'header',
    ...membersOf(header),
    'claims',
    ...membersOf(claims),
    ...(times.length === 0 ? [] : ['times']),
    ...times.map(({ claim, at, inWords }) => `  ${claim}: ${at} (${inWords})`),
    ...judgements.flatMap(formatJudgement),
    ...(unjudged === undefined ? [] : [`REFUSED ${unjudged}`]),
    ...(judgements.length === 0 && unjudged === undefined ? ['not judged, only decoded: give --policies'] : []),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function membersOf(object: TokenReport['claims']): string[] {
  return Object.entries(object).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`);
}

function formatJudgement({ provider, verdict, checks }: TokenJudgement): string[] {
  return [
    provider,
    ...checks.map((check) => `  ${check.check}: ${inWords(check)}`),
    `${verdictInWords[verdict]} by ${provider}`,
  ];
}

function inWords({ verdict, code, message }: TokenCheck): string {
  switch (verdict) {
    case 'passed':
      return 'ok';
    case 'refused':
      return `REFUSED: ${message ?? ''} [${code ?? ''}]`;
    case 'not-looked-at':
      return `not looked at: ${message ?? ''}`;
  }
}

const verdictInWords = {
  accepted: 'ACCEPTED',
  refused: 'REFUSED',
  unverified: 'NOT VERIFIED (nothing else speaks against it)',
} as const;
