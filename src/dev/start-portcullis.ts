import { Failure } from '../core/failure.ts';
import { formatProblem } from '../core/problem.ts';
import { loadConfig } from '../runtime/config/load-config.ts';
import { startService, type RunningService } from '../runtime/service.ts';
import type { DevIo } from './dev-io.ts';

/**
 * Portcullis as `portcullis serve` runs it, on free loopback ports and on the folder of policies. Only what belongs to a demonstration
 * differs: keys may be fetched from this machine, nothing is logged but failures, and nobody waits for it to drain.
 * Throws a Failure where it cannot start.
 */
export async function startPortcullis(policies: string, io: DevIo): Promise<RunningService> {
  const flags = new Map([
    ['--policies', [policies]],
    ['--grpc-address', ['127.0.0.1:0']],
    ['--http-address', ['127.0.0.1:0']],
    ['--admin-address', ['']],
    ['--allowed-private-address', ['127.0.0.1/32']],
    ['--log-level', ['error']],
    ['--log-decisions', ['none']],
    ['--shutdown-delay', ['0s']],
    ['--shutdown-timeout', ['1s']],
  ]);
  const resolved = await loadConfig(flags, {});
  if (!resolved.ok) throw new Failure('config_invalid', resolved.problems.map(formatProblem).join('\n'));
  return startService(resolved.config, io);
}
