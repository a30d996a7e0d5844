import { expect, it } from 'vitest';
import { colourOf, runProgram } from '../../tools/run-program.ts';

it('a program is asked for colours only where they are seen', () => {
  const environment = { PATH: '/bin', FORCE_COLOR: '1' };
  expect(colourOf(false, environment)).toEqual({ PATH: '/bin', NO_COLOR: '1' });
  expect(colourOf(true, environment)).toEqual(environment);
});

it('what it writes is collected, with the variables that it is given', async () => {
  const script = 'console.log(process.env.OURS, process.env.NO_COLOR)';
  const run = await runProgram(process.execPath, ['-e', script], {
    output: 'collected',
    timeoutMs: 10_000,
    environment: { OURS: 'x', NO_COLOR: 'y' },
  });
  expect(run).toEqual({ code: 0, output: 'x y\n' });
});
