import type { Caller, Sample } from './samples.ts';

/** The shell variable that holds the caller's token; undefined for a caller without one. */
export function tokenVariable(caller: Caller): string | undefined {
  return caller === 'none' ? undefined : caller.toUpperCase();
}

/** The sample as a line for a shell, the token in its variable. `--path-as-is`: curl must not tidy the path up. */
export function curlLine(sample: Sample, port: number): string {
  const words = ['curl', '-si'];
  if (sample.path.includes('//')) words.push('--path-as-is');
  if (sample.method !== 'GET') words.push('-X', sample.method);
  for (const [name, value] of Object.entries(sample.headers)) words.push('-H', `'${name}: ${value}'`);
  const variable = tokenVariable(sample.caller);
  if (variable !== undefined) words.push('-H', `"Authorization: Bearer $${variable}"`);
  words.push(`http://localhost:${port}${sample.path}`);
  return words.join(' ');
}

/** The sample as one line for people, where there is no proxy that curl could ask. */
export function checkLine(sample: Sample): string {
  const headers = Object.entries(sample.headers).map(([name, value]) => `${name}: ${value}`);
  const variable = tokenVariable(sample.caller);
  if (variable !== undefined) headers.push(`authorization: Bearer $${variable}`);
  return [`Check ${sample.method} ${sample.path}`, ...headers].join(', ');
}
