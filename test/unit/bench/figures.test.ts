import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { atLeast, atMost, judgeReach } from '../../../bench/aim.ts';
import { parseCoreList } from '../../../bench/cores.ts';
import { toWorkersFigures, type WorkersSide } from '../../../bench/measure-workers.ts';
import { childrenOf, cpuMicrosOf, residentMegabytesOf } from '../../../bench/process-figures.ts';
import { formatReport, type Report } from '../../../bench/report.ts';
import { median, quantile } from '../../../bench/statistics.ts';
import { verdictOf } from '../../../bench/verdict.ts';
import { lastResortDeny } from '../../../src/envoy/last-resort.ts';

test('a median is the middle, or between the two in the middle', () => {
  expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([])]).toEqual([2, 2.5, Number.NaN]);
});

test('a quantile is a value that was seen', () => {
  const values = Array.from({ length: 200 }, (_value, index) => 200 - index);
  expect([quantile(values, 0.5), quantile(values, 0.99), quantile([7], 0.99)]).toEqual([100, 198, 7]);
});

test('a list of cores is read with its ranges', () => {
  expect([parseCoreList('0,1'), parseCoreList('2-4,7')]).toEqual([
    [0, 1],
    [2, 3, 4, 7],
  ]);
});

test.runIf(process.platform === 'linux')('a process is known by its CPU time and its memory', () => {
  const { user, system } = process.cpuUsage();
  expect(cpuMicrosOf(process.pid) / (user + system)).toBeGreaterThan(0.5);
  expect(residentMegabytesOf(process.pid) * 1_000_000).toBeGreaterThan(process.memoryUsage().heapUsed);
});

test.runIf(process.platform === 'linux')('a process is known by those that it started', async () => {
  const before = childrenOf(process.pid);
  const child = spawn('sleep', ['60']);
  expect(childrenOf(process.pid).filter((pid) => !before.includes(pid))).toEqual([child.pid]);
  child.kill();
  await once(child, 'exit');
  expect(childrenOf(process.pid)).toEqual(before);
});

test('two workers are worth two cores only as far as a check costs them what it costs one process', () => {
  const side = (cpuMicros: number, checksPerSecond: number): WorkersSide => ({
    cpuMicros,
    checksPerSecond,
    coresUsed: 1,
    loadCoresUsed: 0.3,
  });
  const [one, two] = [side(20, 40_000), side(25, 60_000)];
  expect(toWorkersFigures([one, one, one], [two, two, side(30, 1)], false)).toEqual({
    one,
    two,
    timesByCpu: 1.6,
    timesByClock: 1.5,
    hasCoreForLoad: false,
    reach: [judgeReach('workers: two by CPU time', 1.6, atLeast(1.8), '× one')],
  });
  expect(toWorkersFigures([one], [one], false).timesByCpu).toBe(2);
  expect(toWorkersFigures([one], [two], true).reach).toEqual([
    judgeReach('workers: two by the clock', 1.5, atLeast(1.8), '× one'),
  ]);
});

test('an aim is met up to its bound, and missed where nothing was measured', () => {
  const isMet = (measured: number, bound: Parameters<typeof judgeReach>[2]): boolean =>
    judgeReach('x', measured, bound, 'ms').isMet;
  expect([isMet(2, atMost(2)), isMet(2.1, atMost(2)), isMet(Number.NaN, atMost(2))]).toEqual([true, false, false]);
  expect([isMet(2, atLeast(2)), isMet(1.9, atLeast(2)), isMet(Number.NaN, atLeast(2))]).toEqual([true, false, false]);
});

test('an answer is what its first bytes say, and nothing where there are none', () => {
  const answer = (...bytes: number[]): Buffer => Buffer.from([0, 0, 0, 0, bytes.length, ...bytes]);
  expect(verdictOf(answer(0x0a, 2, 8, 0, 0x1a, 0))).toBe('allow');
  expect(verdictOf(answer(0x0a, 2, 8, 16))).toBe('unauthenticated');
  expect(verdictOf(answer(...lastResortDeny))).toBe('denied');
  expect([verdictOf(undefined), verdictOf(answer()), verdictOf(answer(0x1a, 2, 8, 0))]).toEqual([
    'failed',
    'failed',
    'failed',
  ]);
});

test('a report shows its rows as a table, and says of a row with wrong answers that it means nothing, and of an idle server that it was', () => {
  const figures = {
    cpuMicros: 14.64,
    timesBare: 1,
    checksPerSecond: 34_000.4,
    p50Ms: 0.9,
    p99Ms: 4,
    busy: 0.985,
    checks: 9,
  };
  const report: Report = {
    about: {
      date: '2026-11-21',
      node: '24.21.0',
      processor: 'AMD EPYC × 2',
      cores: undefined,
      rounds: 5,
      secondsPerRound: 1.5,
      connections: 2,
      callsInFlight: 32,
    },
    rows: [
      { ...figures, name: 'bare-http2', unexpected: 0, reach: undefined, invalid: undefined },
      {
        ...figures,
        name: 'no-token',
        busy: 0.79,
        unexpected: 9,
        reach: judgeReach('no-token', 0.4, atMost(0.35), '× bare-http2'),
        invalid: '9 of 9 answers were not what the row expects',
      },
    ],
    memory: {
      distMb: 101.4,
      bundleMb: 79.6,
      afterTokensMb: 140,
      tokens: 200_000,
      reach: [judgeReach('memory: the bundle, idle', 79.6, atMost(80), 'MB')],
    },
    start: { bundleMs: 398, distMs: 612.3, srcMs: 900, reach: [judgeReach('start', 398, atMost(400), 'ms')] },
    change: undefined,
    updates: undefined,
    pauses: undefined,
    workers: undefined,
    passwords: undefined,
    envoy: undefined,
    cluster: undefined,
  };
  expect(formatReport(report).split('\n')).toEqual([
    '2026-11-21, Node 24.21.0, AMD EPYC × 2',
    'NOT PINNED: there is one core only, or no taskset; the server and the load disturb each other',
    '2 connections × 32 calls in flight, medians of 5 rounds of 1.5 s',
    '',
    'row         µs CPU/check  × bare  checks/s  p50 ms  p99 ms  core used  wrong',
    'bare-http2          14.6    1.00     34000    0.90    4.00       99 %      0',
    'no-token            14.6    1.00     34000    0.90    4.00       79 %      9',
    '',
    'bare-http2: node:http2 that answers a fixed CheckResponse',
    'no-token: INVALID, its figures mean nothing: 9 of 9 answers were not what the row expects',
    '',
    'no-token: the server had its core for only 79 %: figures of a busy machine, or of a load that could go no faster',
    '',
    'resident memory of serve on our own transport, one policy:',
    '  idle: 80 MB as a bundle, 101 MB from dist',
    '  the bundle after 200000 different tokens: 140 MB',
    'from the start of the process until it is ready, 100 policies:',
    '  398 ms as a bundle, 612 ms from dist, 900 ms from the sources',
    '',
    'aims:',
    '  no-token                  0.40 × bare-http2  at most 0.35  MISSED',
    '  memory: the bundle, idle  79.6 MB            at most 80    met',
    '  start                     398 ms             at most 400   met',
    '',
  ]);
});
