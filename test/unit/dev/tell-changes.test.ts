import { describe, expect, it } from 'vitest';
import type { Problem } from '../../../src/core/problem.ts';
import type { DocumentStatus, ServiceStatus } from '../../../src/core/status.ts';
import { linesOfChange } from '../../../src/dev/tell-changes.ts';
import { emptyStatus } from '../runtime/runtime-fixtures.ts';

const status = (revision: number, ...documents: DocumentStatus[]): ServiceStatus => ({
  ...emptyStatus,
  ready: true,
  revision,
  documents,
});
const problem = (message: string, severity: Problem['severity'] = 'error'): Problem => ({
  code: 'unknown-field',
  severity,
  message,
  field: '',
  place: { source: '/policies/sub/policy.yaml', line: 13, column: 5 },
});
const policy = (serving: DocumentStatus['serving'], ...problems: Problem[]): DocumentStatus => ({
  key: 'AccessPolicy shop/orders',
  kind: 'AccessPolicy',
  namespace: 'shop',
  name: 'orders',
  accepted: serving === 'current',
  serving,
  problems,
  version: undefined,
  servedGeneration: undefined,
  conflicts: [],
  targets: [],
  isUnrouted: false,
});
const good = status(1, policy('current'));

describe('what is told of a change', () => {
  const lines = (before: ServiceStatus, after: ServiceStatus): readonly string[] =>
    linesOfChange(before, after, '/policies');

  it('nothing while the revision is the same', () => {
    expect(lines(good, status(1, policy('last-good', problem('x'))))).toEqual([]);
  });

  it('the revision that is in force, also with a warning', () => {
    expect(lines(good, status(2, policy('current', problem('odd', 'warning'))))).toEqual(['revision 2 is in force']);
  });

  it('a mistake with its place, and what it means', () => {
    const mistake = problem('no field acess');
    expect(lines(good, status(2, policy('last-good', mistake)))).toEqual([
      'sub/policy.yaml:13:5: no field acess; the version before stays in force',
    ]);
    expect(lines(status(1), status(2, policy('refused', mistake)))).toEqual([
      'sub/policy.yaml:13:5: no field acess; what it would govern is denied',
    ]);
    expect(lines(good, { ...good, revision: 2, problems: [mistake] })).toEqual([
      'sub/policy.yaml:13:5: no field acess; what was in force stays in force',
    ]);
  });

  it('a file that is not below where the user is by its whole path', () => {
    const broken = status(2, policy('last-good', problem('x')));
    expect(linesOfChange(good, broken, '/home/user')).toEqual([
      '/policies/sub/policy.yaml:13:5: x; the version before stays in force',
    ]);
  });

  it('a mistake that is still there is not told again', () => {
    const broken = status(2, policy('last-good', problem('x')));
    expect(lines(broken, { ...broken, revision: 3 })).toEqual([
      'revision 3 is in force, without what is still refused',
    ]);
  });

  it('of many mistakes the first five', () => {
    const many = Array.from({ length: 7 }, (_, index) => problem(String(index)));
    const told = lines(good, status(2, policy('last-good', ...many)));
    expect([told.length, told.at(-1)]).toEqual([6, 'and 2 more']);
  });
});
