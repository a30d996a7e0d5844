import { isAtLeast } from '../../../src/dev/is-at-least.ts';
import { runCommand, type CommandLimits } from '../../../src/dev/run-command.ts';
import type { PartHost } from './create-part.ts';
import type { GoModule } from './read-go-module.ts';
import { runOrThrow } from './run-or-throw.ts';

export interface GoProgram {
  readonly name: string;
  /** Its go.mod and go.sum pin what is built. */
  readonly module: GoModule;
  /** The package with its `main`; `.` is the module's own. */
  readonly package: string;
  /** What the linker writes into variables, by their full name: programs tell no version without. */
  readonly stamp: Readonly<Record<string, string>>;
  /** How many packages it has, for who waits. */
  readonly packages: string;
}

const minute = 60_000;
const tellEveryMs = 30_000;

/** Builds the program into the folder. Throws with the reason where there is no Go, an old one, or one that cannot build it. */
export async function buildGoProgram(
  program: GoProgram,
  folder: string,
  { environment, progress }: PartHost,
): Promise<void> {
  // Without cgo no C compiler is needed; a workspace of the machine's must not join in.
  const limits = { environment: { ...environment, CGO_ENABLED: '0', GOWORK: 'off' }, folder: program.module.folder };
  await assertGo(program.module.neededGo, limits);
  const start = performance.now();
  let packages = 0;
  const tell = setInterval(() => {
    const seconds = Math.round((performance.now() - start) / 1000);
    progress(`${program.name}: ${packages} of about ${program.packages} packages built after ${seconds} s …`);
  }, tellEveryMs);
  const flags = ['-v', '-mod=readonly', '-buildvcs=false', '-ldflags', linkerFlags(program.stamp)];
  try {
    await runOrThrow('go', ['build', ...flags, '-o', folder, program.package], {
      ...limits,
      timeoutMs: 45 * minute,
      onOutput: (piece) => {
        packages += piece.split('\n').filter((line) => line !== '' && !line.startsWith('go: ')).length;
      },
    });
  } finally {
    clearInterval(tell);
  }
}

async function assertGo(needed: string, limits: Omit<CommandLimits, 'timeoutMs'>): Promise<void> {
  // A Go that fetches a newer one for a module does so now.
  const { code, output } = await runCommand('go', ['version'], { ...limits, timeoutMs: 5 * minute });
  if (code === undefined) throw new Error('there is no go on the PATH');
  const found = /go version go(\d+\.\d+(?:\.\d+)?)/u.exec(output)?.[1];
  if (!isAtLeast(found, needed)) throw new Error(`the Go of the PATH is ${found ?? 'of no version that it tells'}`);
}

function linkerFlags(stamp: GoProgram['stamp']): string {
  return ['-s', '-w', ...Object.entries(stamp).map(([name, value]) => `-X ${name}=${value}`)].join(' ');
}
