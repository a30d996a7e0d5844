import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isBare, servedRows } from '../../../bench/served-rows.ts';
import { partNames, rowNames, rows } from '../../../bench/rows.ts';

const page = readFileSync('docs/performance.md', 'utf8');
const [, table = ''] = /\n\| row \| what it is \|\n(.*?)\n\n/s.exec(page) ?? [];
const documented = table
  .split('\n')
  .slice(1)
  .flatMap((line) => {
    const [names = '', text = ''] = line.slice(2).split(' | ');
    return names.split(', ').map((name) => ({ name, text }));
  });

test('docs/performance.md has each row and part of the bench, and no other', () => {
  expect(documented.map(({ name }) => name).sort()).toEqual([...rowNames, ...partNames].sort());
});

test('the help of the bench and docs/performance.md say of each row on which transport it is', () => {
  for (const name of rowNames) {
    if (isBare(name)) continue;
    const { text = '' } = documented.find((row) => row.name === name) ?? {};
    const says = servedRows[name].transport === 'native' ? /native|our own transport/ : /grpc-js|^both over/;
    expect([name, `${name} ${rows[name]}`]).toEqual([name, expect.stringMatching(says)]);
    expect([name, says.test(text) || says.test(name)]).toEqual([name, true]);
  }
});
