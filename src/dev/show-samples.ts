import { messageOf } from '../core/failure.ts';
import { tokenVariable } from './curl-line.ts';
import type { Front } from './front.ts';
import type { Issuer } from './issuer.ts';
import { differences, type Outcome } from './outcome.ts';
import { callers, samples, type Caller, type Expected, type Sample } from './samples.ts';

export type Tokens = Readonly<Record<Exclude<Caller, 'none'>, string>>;

/** A token for each caller of the samples: two that live for an hour, and alice's of an hour ago. */
export async function signTokens(issuer: Issuer): Promise<Tokens> {
  const hourAgo = Math.floor(Date.now() / 1000) - 3600;
  return {
    alice: await issuer.sign(callers.alice),
    bob: await issuer.sign(callers.bob),
    expired: await issuer.sign({ ...callers.alice, iat: hourAgo - 3600, exp: hourAgo }),
  };
}

/** Prints the tokens as assignments for a shell. */
export function showTokens(tokens: Tokens, print: (line: string) => void): void {
  print('For your shell, a token each (they live for an hour):');
  for (const caller of ['alice', 'bob', 'expired'] as const)
    print(`  ${tokenVariable(caller) ?? ''}=${tokens[caller]}`);
}

/** Sends every sample, prints each with its answer and the reason, and answers how many were not as expected. */
export async function showSamples(front: Front, tokens: Tokens, print: (line: string) => void): Promise<number> {
  let wrong = 0;
  for (const [index, sample] of samples.entries()) {
    print('');
    print(`${index + 1}. ${sample.title}`);
    print(`   ${front.line(sample)}`);
    const found = await differencesOf(front, tokens, sample, print);
    if (found.length > 0) wrong += 1;
    for (const difference of found) print(`   NOT AS EXPECTED: ${difference}`);
    print(`   ${sample.because}`);
  }
  return wrong;
}

async function differencesOf(
  front: Front,
  tokens: Tokens,
  sample: Sample,
  print: (line: string) => void,
): Promise<readonly string[]> {
  try {
    const token = sample.caller === 'none' ? undefined : tokens[sample.caller];
    const outcome = await front.ask(sample, token);
    print(`   → ${inWords(outcome, sample.expected)}`);
    return differences(sample.expected, outcome);
  } catch (error) {
    return [messageOf(error)];
  }
}

function inWords(outcome: Outcome, expected: Expected): string {
  if (outcome.decision === 'deny') return `${outcome.status} ${outcome.code ?? ''}: ${outcome.message}`;
  const names = expected.decision === 'allow' ? Object.keys(expected.upstream) : [];
  const seen = names.map((name) => `${name}: ${outcome.upstream.get(name) ?? '(absent)'}`);
  return `${outcome.status}, and the service sees ${seen.join(', ')}`;
}
