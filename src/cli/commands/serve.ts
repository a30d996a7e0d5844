import { Option, type Command } from 'commander';
import { formatProblem, type Problem } from '../../core/problem.ts';
import { loadConfig, type Flags } from '../../runtime/config/load-config.ts';
import { printConfigJson, printConfigYaml } from '../../runtime/config/print-config.ts';
import { configFileEnv, configFileFlag, settingEntries, type Setting } from '../../runtime/config/settings.ts';
import { systemTimers } from '../../runtime/system-ports.ts';
import { tuneMemory } from '../../runtime/tune-memory.ts';
import { UsageError, type CommandContext, type CommandDetails } from '../cli-command.ts';

export const details: CommandDetails = {
  description: `Answers Envoy's authorization checks by policies: those of a folder with --policies, else those of a Kubernetes cluster, \
in a pod with the service account of the pod, elsewhere with --kubeconfig. In a cluster they are custom resources (portcullis.dev), whose CRDs have to be \
there, and it needs rights to read them: the Helm chart brings both (docs/kubernetes.md). \
Until policies are loaded every check is denied with 503 and health is NOT_SERVING. \
Changes take effect at once; a change that is wrong leaves the last good version in force and is told in the log, in the metrics, \
on the admin page and, in a cluster, in the status of the object. SIGTERM or SIGINT stops without losing a request; a second one ends at once.

Each setting can be given as a flag, as an environment variable (PORTCULLIS_*, lists with commas) or in a YAML file of camelCase keys \
(${configFileFlag}); a flag goes before a variable, a variable before the file, the file before the default.`,
  examples: [
    ['portcullis serve --policies ./policies', 'the policies of a folder, with every default'],
    ['portcullis serve', 'in a pod: the policies of its cluster'],
    [
      'portcullis serve --kubeconfig ~/.kube/config --publish-status=false',
      'outside: those of the current context, and nothing is written there',
    ],
    [
      'portcullis serve --watch-namespace shop --watch-namespace pay --host-grant shop=*.example.com --host-grant pay=pay.example.com',
      'in a pod: those of two namespaces, and which hosts each may have',
    ],
    ['portcullis serve --config config.yaml --log-decisions denied', 'a file of settings, and one that goes before it'],
    [
      'portcullis serve --policies ./policies --grpc-address unix:/run/portcullis/grpc.sock',
      'beside Envoy, over a unix socket',
    ],
    ['portcullis serve --config config.yaml --print-config', 'what would be in force, and where each value comes from'],
  ],
  exitCodes: {
    ok: 'stopped by a signal, nothing lost',
    failed: 'it could not start: an address in use, a folder or a kubeconfig that cannot be read',
    usage: 'a setting is wrong or missing; each is named with its origin',
  },
  ownExitCodes: [
    [130, 'a second SIGINT ended it at once, and requests may be lost'],
    [143, 'a second SIGTERM did'],
  ],
  configure(command, context) {
    for (const [, setting] of settingEntries()) command.addOption(settingOption(setting));
    command
      .addOption(new Option(`${configFileFlag} <FILE>`, `YAML file of settings [${configFileEnv}]`).argParser(collect))
      .option('--print-config', 'print the settings in force with their origins, and end')
      .addOption(new Option('-o, --output <FORMAT>', 'how to print the settings').choices(['yaml', 'json']))
      .allowExcessArguments()
      .action(() => {
        const [path] = command.args;
        if (path !== undefined) throw new UsageError(`serve takes no argument; write --policies ${path}`);
        return serveCommand(command, context);
      });
  },
};

async function serveCommand(command: Command, { io, registry, exit }: CommandContext): Promise<void> {
  const { printConfig, output } = command.opts<{ readonly printConfig?: true; readonly output?: 'yaml' | 'json' }>();
  if (output !== undefined && printConfig !== true)
    throw new UsageError('--output says how to print the settings; give --print-config too');
  const resolved = await loadConfig(givenFlags(command), io.env);
  const tell = (problem: Problem): void => io.stderr(`portcullis: ${formatProblem(problem)}\n`);
  if (!resolved.ok) {
    resolved.problems.forEach(tell);
    exit(2);
    return;
  }
  const { config, settings, warnings } = resolved;
  if (printConfig === true) {
    warnings.forEach(tell);
    io.stdout(output === 'json' ? printConfigJson(settings) : printConfigYaml(settings));
    return;
  }
  // The program itself is the first that is loaded.
  const tuneForChecks = tuneMemory(systemTimers);
  const everythingIsLoaded = (): void => tuneForChecks(config.transport);
  const [startService, { createSystemServiceIo }, { serve }, { readVersion }] = await Promise.all([
    registry.startService(),
    import('../../runtime/system-service-io.ts'),
    import('../../runtime/serve.ts'),
    import('../../runtime/version.ts'),
  ]);
  const version = readVersion();
  const serviceIo = createSystemServiceIo(config, { version, logTo: 1, processMetrics: true });
  try {
    await serve({ config, warnings, version, startService, process: io.process, io: serviceIo, everythingIsLoaded });
  } finally {
    await serviceIo.observation.close();
  }
}

/** Every setting as an option that keeps each of its occurrences. */
function settingOption({ flag, env, type, group, description, default: fallback }: Setting<unknown>): Option {
  const value = type.arity === 'switch' ? `[${type.placeholder}]` : `<${type.placeholder}>`;
  const notes = [type.arity === 'many' ? 'may be repeated' : '', env, defaultNote(type, fallback)].filter(
    (note) => note !== '',
  );
  return new Option(`${flag} ${value}`, `${description} [${notes.join('; ')}]`)
    .argParser(collect)
    .helpGroup(`${group}:`);
}

function defaultNote(type: Setting<unknown>['type'], fallback: Setting<unknown>['default']): string {
  const json = fallback && type.toJson(fallback.value);
  if (
    json === undefined ||
    json === '' ||
    (typeof json === 'object' && json !== null && Object.keys(json).length === 0)
  )
    return '';
  return `default ${typeof json === 'string' ? json : JSON.stringify(json)}`;
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** What the command line said, by flag. */
function givenFlags(command: Command): Flags {
  const flags = new Map<string, readonly string[]>();
  const names = new Set<string>([configFileFlag, ...settingEntries().map(([, { flag }]) => flag)]);
  for (const option of command.options) {
    // Every one of these is collected by `collect`; a switch without a value is true.
    const given = command.getOptionValue(option.attributeName()) as readonly string[] | true | undefined;
    if (option.long === undefined || !names.has(option.long) || given === undefined) continue;
    flags.set(option.long, given === true ? ['true'] : given);
  }
  return flags;
}
