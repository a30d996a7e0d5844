import { formatProblem, hasError } from '../../core/problem.ts';
import { hostGrants, type HostGrants } from '../../runtime/config/list-types.ts';
import { policyFiles } from '../../runtime/config/settings.ts';
import type { ValidationReport } from '../../runtime/validation-report.ts';
import { UsageError, type CommandContext, type CommandDetails } from '../cli-command.ts';
import { collect } from '../policy-flags.ts';
import { formatData, outputOption, type OutputFormat } from '../print-data.ts';

interface ValidateFlags {
  readonly filename?: readonly string[];
  readonly hostGrant?: readonly string[];
  readonly output: OutputFormat;
}

export const details: CommandDetails = {
  description: `Reads policy documents as serve would and says what is wrong with them, each problem with its place, without serving anything. \
Of a folder it reads ${policyFiles}. \
Documents of other kinds are named and passed over. What \`kubectl get -o yaml\` prints is read too: its status and what else the API server added are passed over, \
the age of the objects among it, so two namespaces that name one host are an error here, where in the cluster the older policy has it. A Secret or ConfigMap that a document refers to and that is not among the files is a warning: it may be in the cluster. \
With --host-grant hosts are judged by the operator's grants; without, * is a warning.`,
  examples: [
    ['portcullis validate policies/', 'every file of policies in the folder'],
    ['portcullis validate -f policy.yaml -f provider.yaml', 'several files, judged together'],
    ['kustomize build . | portcullis validate -f -', 'what a tool prints'],
    [
      'kubectl get accesspolicies,identityproviders,clusteraccesspolicies,clusteridentityproviders -A -o yaml | portcullis validate -',
      'what is in a cluster',
    ],
    [
      "portcullis validate policies/ --host-grant 'shop=*.example.com'",
      'with the grants of the operator, as CI has them',
    ],
    ['portcullis validate policies/ -o json', 'for scripts'],
  ],
  exitCodes: {
    ok: 'every document is valid (there may be warnings)',
    failed: 'a document was refused, or a file could not be read',
    usage: 'the command line is wrong',
  },
  configure(command, context) {
    command
      .argument('[PATH...]', 'files or folders; - is standard input')
      .option('-f, --filename <PATH>', 'a file or folder; may be repeated; - is standard input', collect)
      .option(
        '--host-grant <NAMESPACE=HOST>',
        'judge hosts by these grants, as serve --host-grant would; may be repeated',
        collect,
      )
      .addOption(outputOption('table', 'json', 'yaml'))
      .action((paths: readonly string[], flags: ValidateFlags) =>
        validate([...(flags.filename ?? []), ...paths], flags, context),
      );
  },
};

/** Undefined where no grant was given. Throws a UsageError for one that is none. */
function readGrants(texts: readonly string[] | undefined): HostGrants | undefined {
  if (texts === undefined) return undefined;
  const parsed = hostGrants().fromTexts(texts);
  if ('expected' in parsed) throw new UsageError(`--host-grant: it takes ${parsed.expected}`);
  return parsed.value;
}

async function validate(
  paths: readonly string[],
  { output, hostGrant }: ValidateFlags,
  { io, registry, exit }: CommandContext,
): Promise<void> {
  if (paths.length === 0) throw new UsageError('nothing to validate; name files or folders, or - for standard input');
  if (paths.filter((path) => path === '-').length > 1)
    throw new UsageError('standard input can be read only once; give - once');
  const grants = readGrants(hostGrant);
  const validateSources = await registry.validateSources();
  const report = await validateSources(paths, () => io.stdin(), grants);
  io.stdout(formatData(report, output, () => formatReport(report)));
  if (hasError(report.problems) || report.documents.some(({ accepted }) => !accepted)) exit(1);
}

/** A line a problem, a line a document passed over, and the summary. */
function formatReport({ documents, passedOver, problems }: ValidationReport): string {
  const valid = documents.filter(({ accepted }) => accepted).length;
  const warnings = problems.filter(({ severity }) => severity === 'warning').length;
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  // Of a Secret, or of a file that is no YAML: no document of ours is refused, and something is wrong all the same.
  const isBeside = valid === documents.length && errors > 0;
  const summary = [
    `${valid} ${valid === 1 ? 'document' : 'documents'} valid`,
    `${documents.length - valid} refused`,
    ...(isBeside ? [`${errors} ${errors === 1 ? 'error' : 'errors'} beside them`] : []),
    `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
    `${passedOver.length} passed over`,
  ];
  const lines = [
    ...problems.map(formatProblem),
    ...passedOver.map(({ source, kind }) => `${source}: passed over: ${kind}`),
    summary.join(', '),
  ];
  return `${lines.join('\n')}\n`;
}
