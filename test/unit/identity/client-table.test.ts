import { describe, expect, test } from 'vitest';
import type { ClientEntry } from '../../../src/phases/identity/clients/client-entry.ts';
import { createClientTable, type ClientTable } from '../../../src/phases/identity/clients/client-table.ts';
import type { Material } from '../../../src/policy/read-material.ts';
import { runAtOnce } from '../../../src/std/steps.ts';
import { secretOf } from './client-fixtures.ts';

/** A Secret with that key; `!` at its end refuses it, and one without is refused and has none. */
const secret = (name: string, key: string): Material => secretOf(name, { data: { key } });

interface Stand {
  readonly table: ClientTable<string>;
  /** The names of the Secrets that were read, in order. */
  readonly read: string[];
  readonly renew: (secrets: readonly Material[]) => void;
}

function start(): Stand {
  const read: string[] = [];
  const readClient = ({ name, data }: Material): ClientEntry<string> => {
    read.push(name);
    const key = data.get('key') ?? '';
    if (key === '') return { key: undefined, why: 'it has no key' };
    return key.endsWith('!') ? { key: key.slice(0, -1), why: 'it is bad' } : { key, client: name };
  };
  const table = createClientTable(readClient, 'have one key');
  return { table, read, renew: (secrets) => runAtOnce(table.renew(secrets))() };
}

const keys = ['a', 'b', 'c', 'd'];
function tell({ table }: Stand): unknown {
  return { clients: keys.map((key) => table.get(key)), size: table.size, problem: table.problem };
}

describe('a table of clients', () => {
  test('changes in one moment: what is read before it is in force shows nowhere', () => {
    const stand = start();
    stand.renew([secret('s', 'a')]);
    const take = runAtOnce(stand.table.renew([secret('s', 'b'), secret('t', '')]));
    expect(tell(stand)).toEqual({ clients: ['s', undefined, undefined, undefined], size: 1, problem: undefined });
    take();
    const after = { clients: [undefined, 's', undefined, undefined], size: 1, problem: 'Secret t: it has no key' };
    expect(tell(stand)).toEqual(after);
    // What was read and given up leaves nothing behind.
    runAtOnce(stand.table.renew([secret('u', 'd')]));
    expect(tell(stand)).toEqual(after);
  });

  test('reads those that are new or others, and none of thousands besides, a step each', () => {
    const { table, read, renew } = start();
    const all = Array.from({ length: 2000 }, (_, index) => secret(`s${index}`, `key-${index}`));
    const steps = table.renew(all);
    let count = 0;
    while (steps.next().done !== true) count += 1;
    expect(count).toBeGreaterThanOrEqual(2000);
    renew(all);
    read.length = 0;
    renew([...all.slice(1), secret('s0', 'another')]);
    expect([read, table.get('key-0'), table.get('another'), table.size]).toEqual([['s0'], undefined, 's0', 2000]);
  });

  test('is after any changes what it would be if it were made anew', () => {
    let seed = 7;
    const below = (end: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * end);
    };
    // Few at once, which are put in their places, and many, for which all is copied.
    for (const names of [6, 40]) {
      const changing = start();
      let present = new Map<string, Material>();
      for (let round = 0; round < 400; round++) {
        const next = new Map(present);
        for (let change = below(names); change >= 0; change--) {
          const name = `s${String(below(names)).padStart(2, '0')}`;
          if (below(3) === 0) next.delete(name);
          else next.set(name, secret(name, ['a', 'b', 'c', 'd', 'a!', 'b!', ''][below(7)] ?? ''));
        }
        const secrets = [...next.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
        present = next;
        // Now and then one is read that never comes into force.
        if (below(4) === 0) runAtOnce(changing.table.renew(secrets.slice(below(3))));
        changing.renew(secrets);
        const anew = start();
        anew.renew(secrets);
        expect(tell(changing)).toEqual(tell(anew));
      }
    }
  });
});
