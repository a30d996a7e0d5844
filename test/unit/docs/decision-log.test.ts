import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { revocationSources } from '../../../src/core/revocation.ts';
import { createDecisionLog } from '../../../src/observe/decision-log.ts';
import { allowed, createLines, denied, frozenClock, request, scriptedRandom } from '../observe/observe-fixtures.ts';

const page = readFileSync('docs/decision-log.md', 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, field = '', meaning = '', absent = '']) => ({ field: field.slice(1, -1), meaning, absent }));

/** The lines of an allow and of a deny in which nothing is absent that can be there. */
function writtenBy(worker: number | undefined): readonly Readonly<Record<string, unknown>>[] {
  const lines = createLines();
  const sink = createDecisionLog({
    destination: lines,
    clock: frozenClock,
    which: 'all',
    sample: 1,
    random: scriptedRandom(0),
    worker,
  });
  const { identity } = allowed().about;
  const long = { ...identity, subject: 's'.repeat(3000) };
  const refused = { provider: 'okta', subject: long.subject, revokedBy: 'admin' } as const;
  const shadow = [{ policy: 'shop/orders-next', rule: 'read', code: 'role_missing' }] as const;
  const text = 'x'.repeat(3000);
  const read = request({ method: text, host: text, path: text });
  const { denial, ...rest } = denied('token_revoked', { peer: long, refused, shadow });
  sink.record(allowed(), request(), 0.0873);
  sink.record({ ...rest, denial: { ...denial, message: text } }, read, 1);
  return lines.objects() as readonly Readonly<Record<string, unknown>>[];
}

describe('docs/decision-log.md', () => {
  const [allowLine = {}, denyLine = {}] = writtenBy(1);

  test('has each field of a line, in its order', () => {
    expect(rows.map(({ field }) => field)).toEqual(Object.keys(denyLine));
  });

  test('says of each field that a line can lack when it is absent, and of no other', () => {
    const [alone = {}] = writtenBy(undefined);
    const unread = new Set(['method', 'host', 'path', 'clientIp']);
    const lacking = Object.keys(denyLine).filter((field) => !(field in alone) || unread.has(field));
    expect(rows.filter(({ absent }) => absent !== '').map(({ field }) => field)).toEqual(lacking);
  });

  test('says where each field is cut, and of no other', () => {
    const lengths = rows.map(({ field, meaning }) => [field, /cut after (\d+) characters/.exec(meaning)?.[1]]);
    const cut = Object.entries(denyLine).map(([field, value]) => [
      field,
      typeof value === 'string' && value.endsWith('…') ? String(value.length - 1) : undefined,
    ]);
    expect(lengths).toEqual(cut);
  });

  test('names every place that a revocation comes from', () => {
    const { meaning = '' } = rows.find(({ field }) => field === 'revokedBy') ?? {};
    for (const source of revocationSources) expect(meaning).toContain(`\`${source}\``);
  });

  test('shows a line as it is written, and a shadow as it is', () => {
    const [, example = ''] = /```json\n(.*?)\n```/s.exec(page) ?? [];
    const { worker: _worker, ...alone } = allowLine;
    expect(JSON.parse(example)).toEqual({ ...alone, time: '2026-11-21T12:00:00.042Z' });
    expect(page).toContain(JSON.stringify(denyLine['shadow']).slice(1, -1));
  });
});
