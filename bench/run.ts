/** `npm run bench`: what a check costs, and what `serve` needs to start, to idle and to take a change in. `--help` says more. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bindTo, findCores } from './cores.ts';
import { connectionShape } from './load.ts';
import { measureCluster } from './cluster/measure-cluster.ts';
import { measureChange } from './measure-change.ts';
import { measureMemory } from './measure-memory.ts';
import { measurePasswords } from './measure-passwords.ts';
import { measurePauses } from './measure-pauses.ts';
import { measureRows } from './measure-rows.ts';
import { measureStart } from './measure-start.ts';
import { measureUpdates } from './measure-updates.ts';
import { measureWorkers } from './measure-workers.ts';
import { settings } from './envoy/envoy-settings.ts';
import { measureEnvoy } from './envoy/measure-envoy.ts';
import { helpText, parseOptions, rounds, warmUpSeconds, type Options } from './options.ts';
import { formatReport, type Report } from './report.ts';
import type { PartName } from './rows.ts';
import { createStand } from './stand.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

/** On a machine that may be busy: ten thousand policies and their statuses are written to a cluster, 200,000 tokens signed. */
const limitsMs: Readonly<Partial<Record<PartName, number>>> = { cluster: 900_000, memory: 600_000, pauses: 120_000 };

/** Measures what is shipped: `dist` as the sources are now. */
function build(): void {
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const { status, stdout } = spawnSync(tsc, ['--project', join(root, 'src/tsconfig.json')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}`);
}

async function measure(options: Options, workFolder: string): Promise<Report> {
  const processors = availableParallelism();
  const cores = findCores();
  if (cores !== undefined) bindTo(process.pid, [cores.generator]);
  const profile = options.profile === undefined ? undefined : resolve(options.profile);
  const stand = await createStand({ workFolder, cores, profile });
  const part = async <T>(name: PartName, figures: () => Promise<T>): Promise<T | undefined> => {
    if (!options.parts.includes(name)) return undefined;
    tell(`measuring ${name}`);
    return figures();
  };
  try {
    return {
      about: {
        date: new Date().toISOString().slice(0, 10),
        node: process.versions.node,
        processor: `${cpus()[0]?.model.trim() ?? 'unknown processor'} × ${processors}`,
        cores,
        rounds,
        secondsPerRound: options.seconds,
        ...connectionShape,
      },
      rows: await measureRows(options, stand, tell),
      memory: await part('memory', () => measureMemory(stand)),
      start: await part('start', () => measureStart(stand)),
      change: await part('change', () => measureChange(stand)),
      updates: await (options.parts.includes('change') ? measureUpdates(stand) : undefined),
      pauses: await part('pauses', () => measurePauses(stand)),
      workers: await part('workers', () => measureWorkers(stand, options.seconds, tell)),
      passwords: await part('passwords', () => measurePasswords(stand)),
      envoy: await part('envoy', () => measureEnvoy(stand, options.seconds, tell)),
      cluster: await part('cluster', () => measureCluster(stand, tell)),
    };
  } finally {
    await stand.close();
  }
}

function limitMsOf({ parts, rows, seconds }: Options): number {
  const ofParts = parts.reduce((sum, name) => sum + (limitsMs[name] ?? 0), 0);
  // Each setting of Envoy is loaded three times as long as a row.
  const ofEnvoy = parts.includes('envoy') ? 3 * Object.keys(settings).length : 0;
  // One loaded twice in a round, and two three times.
  const ofWorkers = parts.includes('workers') ? 5 : 0;
  const loads = rows.length + ofEnvoy + ofWorkers;
  return 120_000 + ofParts + loads * (warmUpSeconds + rounds * seconds) * 1000;
}

async function bench(options: Options): Promise<void> {
  if (process.platform !== 'linux')
    throw new Error('the bench reads the CPU time of its servers from /proc: it needs Linux');
  const workFolder = mkdtempSync(join(tmpdir(), 'portcullis-bench-'));
  process.on('exit', () => rmSync(workFolder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
  // A server that hangs must not make the bench hang.
  const limitMs = limitMsOf(options);
  setTimeout(() => {
    tell(`bench: given up after ${limitMs / 1000} s`);
    process.exit(1);
  }, limitMs).unref();
  build();
  const report = await measure(options, workFolder);
  process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : formatReport(report));
  const wrong = (report.envoy?.rows ?? []).some(({ unexpected }) => unexpected > 0);
  if (wrong || report.rows.some(({ invalid }) => invalid !== undefined)) process.exitCode = 1;
}

const parsed = parseOptions(process.argv.slice(2));
switch (parsed.kind) {
  case 'help':
    process.stdout.write(helpText());
    break;
  case 'usage':
    tell(`bench: ${parsed.why}; --help tells what there is`);
    process.exitCode = 2;
    break;
  case 'options':
    try {
      await bench(parsed.options);
    } catch (error) {
      tell(`bench: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
    break;
}
