import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CliIo, CommandRegistry } from '../../src/cli/cli-io.ts';
import { commands } from '../../src/cli/commands.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { settingEntries, settingGroups, type Setting } from '../../src/runtime/config/settings.ts';
import { renderChart } from './chart/render-chart.ts';
import { renderCrds } from './render-crds.ts';
import { guides, renderGuide } from './render-guide.ts';
import { renderReference } from './render-reference.ts';

/**
 * Writes docs/cli.md, docs/configuration.md, docs/reference, deploy/crds.yaml and what of the chart is generated out of the tables that the program itself uses, and the
 * files of deploy into the guides that show them; with `--check` it only tells whether the
 * files are what it would write, and exits with 1 where one is not.
 */
const notice = '<!-- Written by test/tools/generate-docs.ts; change the tables in src and run it again. -->';

/** The generated pages by their path in the repository. */
export async function generateDocs(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/cli.md', await renderCliPage()],
    ['docs/configuration.md', renderConfigurationPage()],
    ...renderReference(notice),
    ['deploy/crds.yaml', renderCrds()],
    ...(await renderChart()),
    ...(await Promise.all(guides.map(async (path) => [path, await renderGuide(path)] as const))),
  ]);
}

/** The pages whose file is not what would be written. */
export async function staleDocs(): Promise<readonly string[]> {
  const stale: string[] = [];
  for (const [path, text] of await generateDocs()) {
    const written = await readFile(fileOf(path), 'utf8').catch(() => '');
    if (written !== text) stale.push(path);
  }
  return stale;
}

function fileOf(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

async function renderCliPage(): Promise<string> {
  const parts = [`# Command line\n\n${notice}`, `\`\`\`text\n${await helpOf([])}\`\`\``];
  for (const { name } of commands) parts.push(`## portcullis ${name}\n\n\`\`\`text\n${await helpOf([name])}\`\`\``);
  return `${parts.join('\n\n')}\n`;
}

async function helpOf(args: readonly string[]): Promise<string> {
  let text = '';
  const io: CliIo = {
    stdout: (more) => {
      text += more;
    },
    stderr: (line) => {
      throw new Error(line);
    },
    stdin: () => Promise.resolve(''),
    env: {},
    process,
  };
  await runCli([...args, '--help'], io, idleRegistry);
  return text;
}

function notForHelp(): never {
  throw new Error('help runs no command');
}

/** Help runs nothing. */
const idleRegistry: CommandRegistry = {
  startService: notForHelp,
  validateSources: notForHelp,
  testPolicies: notForHelp,
  askService: notForHelp,
  inspectToken: notForHelp,
  explain: notForHelp,
  revokeTokens: notForHelp,
  runDev: notForHelp,
};

function renderConfigurationPage(): string {
  const groups = settingGroups.map((group) => {
    const rows = settingEntries().filter(([, setting]) => setting.group === group);
    return `## ${group}\n\n${rows.map(([key, setting]) => renderSetting(key, setting)).join('\n\n')}`;
  });
  return `# Configuration

${notice}

Settings of \`portcullis serve\`. Each can be given as a flag, as an environment variable or in a YAML file (\`--config FILE\` or
\`PORTCULLIS_CONFIG\`); a flag goes before a variable, a variable before the file, the file before the default. Every value that is
given is checked, also one that another overrides, and a mistake is named with its origin: \`--grpc-address\`,
\`PORTCULLIS_GRPC_ADDRESS\` or \`config.yaml:3:1\`. Unknown keys in the file and unknown flags are errors, unknown \`PORTCULLIS_*\`
variables are warnings. \`portcullis serve --print-config\` prints what is in force and where each value comes from. No setting holds
a secret.

\`\`\`yaml
policies: /etc/portcullis/policies
grpcAddress: unix:/run/portcullis/grpc.sock
hostGrants:
  shop: ["*.shop.example.com"]
logDecisions: denied
\`\`\`

${groups.join('\n\n')}
`;
}

function renderSetting(key: string, { flag, env, type, default: fallback, description }: Setting<unknown>): string {
  const json = fallback && type.toJson(fallback.value);
  const isEmpty = typeof json === 'object' && json !== null && Object.keys(json).length === 0;
  const shown = json === undefined ? 'none: it must be given' : isEmpty ? 'none' : `\`${JSON.stringify(json)}\``;
  const flagForm = type.arity === 'switch' ? `${flag}[=${type.placeholder}]` : `${flag} ${type.placeholder}`;
  return `### ${key}

${description}

- value: ${type.form}
- flag: \`${flagForm}\`${type.arity === 'many' ? ', may be repeated' : ''}
- environment: \`${env}\`
- default: ${shown}`;
}

if (import.meta.main) {
  const isCheck = process.argv.includes('--check');
  const stale = await staleDocs();
  if (!isCheck)
    for (const [path, text] of await generateDocs()) {
      await mkdir(dirname(fileOf(path)), { recursive: true });
      await writeFile(fileOf(path), text);
    }
  for (const path of stale)
    process.stdout.write(isCheck ? `${path} is not what the tables say\n` : `${path} written\n`);
  process.exitCode = isCheck && stale.length > 0 ? 1 : 0;
}
