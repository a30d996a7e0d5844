import { expect, test } from 'vitest';
import { compileCondition } from '../../../src/expressions/compile-condition.ts';

test.each([
  ['identity.claim.tenant == "a"', 'no such key: claim; did you mean claims?'],
  ['request.header["x"] == "a"', 'no such key: header; did you mean headers?'],
  ['identiy.subject == "a"', 'unknown variable: identiy; did you mean identity?'],
  ['identity.claims.tenant = "a"', 'unexpected character: =; write == to compare'],
  ['request.method === "GET"', 'unexpected character: =; write == to compare'],
  [`request.path == "a=b" && request.host = 'x'`, 'unexpected character: =; write == to compare'],
  ['request.method == "GET" and true', "unexpected character: 'd'; write && for and"],
  ['not true', "unexpected character: 'e'"],
  ['xyzzy.subject == "a"', 'unknown variable: xyzzy'],
])('%s', (source, why) => {
  const compiled = compileCondition(source, 'condition');
  expect(compiled.kind === 'invalid' ? compiled.why : 'valid').toBe(why);
});

test('the control: a text that holds a single = is none', () => {
  expect(compileCondition('identity.claims.tenant == "a=b"', 'condition').kind).toBe('condition');
});
