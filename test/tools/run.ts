/**
 * `npm test`: every step in order, however those before ended, and at the end one line with the counts. Names of steps or groups
 * choose: `node test/tools/run.ts check`, `node test/tools/run.ts types unit`. Exits with 1 where anything failed.
 */
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { steps } from './steps.ts';
import { add, nothing, summary, type Tally } from './tally.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
process.chdir(root);
// As npm does for its scripts, so that the programs are found without npm too.
process.env['PATH'] = [join(root, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter);

const print = (line: string): void => void process.stdout.write(`${line}\n`);
/** In other words than the last line's, which must be the only one of its form. */
const inShort = ({ passed, failed, skipped }: Tally): string =>
  `${passed} of ${passed + failed} right${skipped > 0 ? `, ${skipped} left out` : ''}`;
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name || step.group === name));
if (unknown.length > 0) {
  print(`Unknown step: ${unknown.join(', ')}. There are: ${steps.map((step) => step.name).join(', ')}; check.`);
  process.exit(2);
}

let total = nothing;
for (const step of steps) {
  if (wanted.length > 0 && !wanted.includes(step.name) && !wanted.includes(step.group)) continue;
  print(`▶ ${step.name}`);
  const start = performance.now();
  const tally = await step.run(print);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  print(`${tally.failed > 0 ? '✗' : '✓'} ${step.name}: ${inShort(tally)} (${seconds} s)`);
  total = add(total, tally);
}
print(summary(total));
process.exitCode = total.failed > 0 ? 1 : 0;
