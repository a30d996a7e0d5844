import { Failure } from '../core/failure.ts';
import { formatProblem } from '../core/problem.ts';
import { loadConfig } from '../runtime/config/load-config.ts';
import type { Config } from '../runtime/config/settings.ts';
import { startService, type RunningService } from '../runtime/service.ts';
import { createSystemServiceIo } from '../runtime/system-service-io.ts';
import { readVersion } from '../runtime/version.ts';

const readyTimeoutMs = 15_000;
const standardError = 2;

/**
 * Portcullis as `portcullis serve` runs it, on free loopback ports and on the folder of policies; resolves once it is ready. Only what
 * belongs to a demonstration differs: keys may be fetched from this machine, nothing is logged but failures, and nobody waits for it
 * to drain. Throws a Failure where it cannot start, or is not ready within 15 s. `more` are other settings.
 */
export async function startPortcullis(policies: string, more: SettingFlags = []): Promise<RunningService> {
  const config = await demonstrationConfig(policies, more);
  const io = createSystemServiceIo(config, { version: readVersion(), logTo: standardError, processMetrics: false });
  const service = await startService(config, io);
  const stop = async (): Promise<void> => {
    await service.stop();
    await io.observation.close();
  };
  if (await isReadyInTime(service)) return { ...service, stop };
  const problems = service.status().documents.flatMap((document) => document.problems.map(formatProblem));
  await stop();
  throw new Failure('not_ready', ['Portcullis did not become ready.', ...problems].join('\n'));
}

/** Flags of settings in place of the demonstration's, or beside them, with their values. */
export type SettingFlags = readonly (readonly [flag: string, values: readonly string[]])[];

async function demonstrationConfig(policies: string, more: SettingFlags): Promise<Config> {
  const flags = new Map<string, readonly string[]>([
    ['--policies', [policies]],
    ['--grpc-address', ['127.0.0.1:0']],
    ['--http-address', ['127.0.0.1:0']],
    ['--admin-address', ['127.0.0.1:0']],
    ['--allowed-private-address', ['127.0.0.1/32']],
    ['--log-level', ['error']],
    ['--log-decisions', ['none']],
    ['--shutdown-delay', ['0s']],
    ['--shutdown-timeout', ['1s']],
    ...more,
  ]);
  const resolved = await loadConfig(flags, {});
  if (!resolved.ok) throw new Failure('config_invalid', resolved.problems.map(formatProblem).join('\n'));
  return resolved.config;
}

async function isReadyInTime(service: RunningService): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), readyTimeoutMs);
  const ready = service.ready.then(() => true);
  const inTime = await Promise.race([ready, late.promise]);
  clearTimeout(timer);
  return inTime;
}
