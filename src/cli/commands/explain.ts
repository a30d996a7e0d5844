import { Option } from 'commander';
import type { Explanation } from '../../runtime/explanation.ts';
import { parseCidr } from '../../std/ip.ts';
import { UsageError, type CommandContext, type CommandDetails } from '../cli-command.ts';
import { formatExplanation } from '../format-explanation.ts';
import { collect, isMistakeOfTheUser, readJsonFlag, refuseTwoReaders } from '../policy-flags.ts';
import { formatData, outputOption, type OutputFormat } from '../print-data.ts';
import { readText } from '../read-token.ts';
import { addRequestFlags, readRequestFlags, type RequestFlags } from '../request-flags.ts';

interface ExplainFlags extends RequestFlags {
  readonly policies?: readonly string[];
  readonly claims?: string;
  readonly provider?: string;
  readonly jwks?: string;
  readonly trustedHops: number;
  readonly forwardedClientCertFrom?: readonly string[];
  readonly showValues?: true;
  readonly output: OutputFormat;
}

export const details: CommandDetails = {
  description: `Decides one request by the policies of a folder, offline and with the engine that serves, and prints the way to the decision: how the request \
was read, which policies cover it and why, which rules were tried, chosen or passed over and for what, who the caller is, each test of the authorization, \
what would go upstream, and the answer to the client. Nothing is fetched and nobody is asked: a token is verified with keys of the documents or of --jwks; --claims makes up an identity instead, of what a JWT or the answer about an opaque token says, or of the service account that sub names. \
Values of claims, subjects and upstream headers are told only in words (text of 5) unless --show-values; the token is never printed.`,
  examples: [
    ['portcullis explain --policies policies/ http://api.example.com/orders', 'a GET without a token'],
    [
      `portcullis explain --policies policies/ -X POST --claims '{"sub":"alice","groups":["clerk"]}' http://api.example.com/orders`,
      'what somebody with these claims could do (a made-up identity, and marked so)',
    ],
    [
      'portcullis explain --policies policies/ --token @token.txt --jwks keys.json http://api.example.com/orders',
      'a real token, its signature verified with the keys of the file',
    ],
    ['portcullis explain --policies policies/ -o json http://api.example.com/', 'for scripts'],
  ],
  exitCodes: {
    ok: 'the request would be allowed',
    failed: 'the request would be denied',
    usage: 'the command line is wrong, or the policies cannot be read',
  },
  configure(command, context) {
    addRequestFlags(command);
    command
      .option(
        '--policies <PATH>',
        'a folder or file of policy documents; may be repeated; - is standard input',
        collect,
      )
      .option('--claims <JSON>', 'a made-up identity of these claims, in place of a token; @FILE or - reads them')
      .option(
        '--provider <NAME>',
        'who vouches for --claims: NAMESPACE/NAME, or NAME where that is unique; without, the one of their iss or of the deciding rule',
      )
      .option('--jwks <FILE>', "a JWK Set that stands for every provider's keys")
      .addOption(
        new Option('--trusted-hops <N>', 'how many proxies before ours say who the client is')
          .argParser(Number)
          .default(0),
      )
      .option(
        '--forwarded-client-cert-from <CIDR>',
        "who is believed about clients' certificates, as the setting; may be repeated",
        collect,
      )
      .option('--show-values', 'print the values of claims and headers')
      .addOption(outputOption('table', 'json', 'yaml'))
      .action((url: string, flags: ExplainFlags) => explain(url, flags, context));
  },
};

async function explain(url: string, flags: ExplainFlags, { io, registry, exit }: CommandContext): Promise<void> {
  const { policies = [], trustedHops, provider, forwardedClientCertFrom = [] } = flags;
  if (policies.length === 0) throw new UsageError('no policies; give --policies DIR');
  if (flags.claims !== undefined && flags.token !== undefined)
    throw new UsageError('--claims makes up an identity in place of a token; give one of them');
  if (flags.provider !== undefined && flags.claims === undefined)
    throw new UsageError('--provider says who vouches for --claims; give --claims too');
  if (!Number.isInteger(trustedHops) || trustedHops < 0 || trustedHops > 10)
    throw new UsageError('--trusted-hops is a whole number from 0 to 10');
  const noRange = forwardedClientCertFrom.find((range) => parseCidr(range) === undefined);
  if (noRange !== undefined)
    throw new UsageError(`--forwarded-client-cert-from: ${JSON.stringify(noRange)} is no range: write 10.0.0.0/8`);
  refuseTwoReaders([flags.token, flags.claims, ...policies]);
  const request = await readRequestFlags(url, flags, io);
  const claims = flags.claims === undefined ? undefined : await readJsonFlag('--claims', flags.claims, io);
  const jwks = flags.jwks === undefined ? undefined : await readText(`@${flags.jwks}`, io);
  const run = await registry.explain();
  let explanation: Explanation;
  try {
    const showValues = flags.showValues === true;
    const options = { policies, request, trustedHops, forwardedClientCertFrom, jwks, claims, provider, showValues };
    explanation = await run(options, () => io.stdin());
  } catch (thrown) {
    if (isMistakeOfTheUser(thrown)) throw new UsageError(thrown.message);
    throw thrown;
  }
  io.stdout(formatData(explanation, flags.output, () => formatExplanation(explanation)));
  if (explanation.decision.decision === 'deny') exit(1);
}
