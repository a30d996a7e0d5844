import { describe, expect, it } from 'vitest';
import { checkLine, curlLine } from '../../../src/dev/curl-line.ts';
import type { Front } from '../../../src/dev/front.ts';
import type { Outcome } from '../../../src/dev/outcome.ts';
import { samples, type Sample } from '../../../src/dev/samples.ts';
import { showSamples } from '../../../src/dev/show-samples.ts';

const tokens = { alice: 'token-a', bob: 'token-b', expired: 'token-e' };
const spoofing: Sample = {
  title: 'spoofing',
  caller: 'alice',
  method: 'POST',
  path: '//orders',
  headers: { 'x-user-id': 'root' },
  expected: { decision: 'deny', status: 400, code: 'path_not_canonical' },
  because: 'it is so',
};

/** A front that answers each sample as it expects, but for those that `wrong` names. */
function frontOf(wrong: (sample: Sample) => Outcome | undefined): Front & { readonly asked: (string | undefined)[] } {
  const asked: (string | undefined)[] = [];
  return {
    asked,
    title: 'front',
    takesRequests: false,
    line: (sample) => sample.path,
    async ask(sample, token) {
      asked.push(token);
      const other = wrong(sample);
      if (other !== undefined) return other;
      const { expected } = sample;
      if (expected.decision === 'deny') return { ...expected, message: 'no' };
      const upstream = Object.entries(expected.upstream).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      return { decision: 'allow', status: 200, upstream: new Map(upstream) };
    },
    ended: new Promise(() => {}),
    close: async () => {},
  };
}

describe('a sample', () => {
  it('is a line for a shell with the token in its variable and the path as it is', () => {
    expect(curlLine(spoofing, 8080)).toBe(
      `curl -si --path-as-is -X POST -H 'x-user-id: root' -H "Authorization: Bearer $ALICE" http://localhost:8080//orders`,
    );
    expect(curlLine({ ...spoofing, caller: 'none', method: 'GET', path: '/orders', headers: {} }, 8080)).toBe(
      'curl -si http://localhost:8080/orders',
    );
  });

  it('is a line for people where no curl can ask', () => {
    expect(checkLine(spoofing)).toBe('Check POST //orders, x-user-id: root, authorization: Bearer $ALICE');
  });
});

describe('the samples', () => {
  it('are shown each with its line, its answer and the reason, and with the token of its caller', async () => {
    const lines: string[] = [];
    const front = frontOf(() => undefined);
    expect(await showSamples(front, tokens, (line) => lines.push(line))).toBe(0);
    expect(lines.slice(0, 5)).toEqual([
      '',
      '1. a public path',
      '   /healthz',
      '   → 200, and the service sees x-user-id: (absent)',
      '   The rule `health` is Public: no token is needed.',
    ]);
    const token = { alice: 'token-a', bob: 'token-b', expired: 'token-e', none: undefined };
    expect(front.asked).toEqual(samples.map(({ caller }) => token[caller]));
  });

  it('count what is not as expected, an allow in place of a denial above all, and go on', async () => {
    const lines: string[] = [];
    const open: Outcome = { decision: 'allow', status: 200, upstream: new Map() };
    const denials = samples.filter(({ expected }) => expected.decision === 'deny');
    const front = frontOf(({ expected }) => (expected.decision === 'deny' ? open : undefined));
    expect(await showSamples(front, tokens, (line) => lines.push(line))).toBe(denials.length);
    expect(lines).toContain('   NOT AS EXPECTED: expected 401 credential_missing, and it was allowed');
  });

  it('count a request without an answer', async () => {
    const front = { ...frontOf(() => undefined), ask: () => Promise.reject(new Error('nobody is there')) };
    const lines: string[] = [];
    expect(await showSamples(front, tokens, (line) => lines.push(line))).toBe(samples.length);
    expect(lines).toContain('   NOT AS EXPECTED: nobody is there');
  });

  it('show what the demonstration promises', () => {
    const codes = samples.flatMap(({ expected }) => (expected.decision === 'deny' ? [expected.code] : []));
    expect(codes).toEqual(['credential_missing', 'token_expired', 'role_missing', 'path_not_canonical', 'no_rule']);
  });
});
