import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../src/expressions/compile-condition.ts';
import { compileExpression } from '../../../src/expressions/compile-expression.ts';
import type { PolicyEnvironment } from '../../../src/expressions/policy-environments.ts';
import { requestOnly } from '../../../src/expressions/scope.ts';
import { conditionOf, scopeOf } from './expression-fixtures.ts';

function whyInvalid(source: string, environment: PolicyEnvironment = 'condition'): string {
  const compiled = compileExpression(source, environment);
  return compiled.kind === 'invalid' ? `${compiled.position}: ${compiled.why}` : `of type ${compiled.type}`;
}

describe('S24 an expression is refused when it is read', () => {
  test.each([
    ['is no expression', 'identity.subject ==', '19: unexpected token: EOF'],
    ['is empty', '', '0: unexpected token: EOF'],
    ['ends too late', 'true)', "4: unexpected character: ')'"],
    ['names a variable that does not exist', 'true && user.name == "x"', '8: unknown variable: user'],
    [
      'names a field that does not exist',
      'identity.clams.tenant == "x"',
      '9: no such key: clams; did you mean claims?',
    ],
    [
      'asks has() for a field that does not exist',
      '!has(identity.clams.tenant)',
      '14: no such key: clams; did you mean claims?',
    ],
    [
      'calls a function that does not exist',
      'request.path.startWith("/x")',
      "0: found no matching overload for 'string.startWith(string)'",
    ],
    [
      'calls a function with a wrong type',
      'request.path.startsWith(1)',
      "0: found no matching overload for 'string.startsWith(int)'",
    ],
    ['compares different types', 'identity.subject == 1', '0: no such overload: string == int'],
    ['adds different types', '"a" + 1 == "a1"', '0: no such overload: string + int'],
    ['is a condition of another type', 'identity.subject', '0: the condition is of type string, not bool'],
    ['is a condition that is a list', 'identity.roles', '0: the condition is of type list<string>, not bool'],
    [
      'is a condition of any type',
      'identity.claims.admin',
      '0: the condition may be of any type: compare it, as in identity.claims.admin == true',
    ],
    [
      'has a regular expression that RE2 does not know',
      'request.path.matches("(?=x)")',
      '21: the regular expression: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
    ],
    [
      'has a range of addresses that is none',
      'cidr("10.0.0.1/8").containsIP("10.0.0.1")',
      '0: cidr(): the text is no range of addresses such as 10.0.0.0/8, or has bits behind its prefix',
    ],
    ['has an address that is none', 'ip("010.0.0.1") == ip("8.0.0.1")', '0: ip(): the text is no IP address'],
    [
      'has a duration that is none',
      'request.time > request.time - duration("1 day")',
      '30: duration(): the text is no duration such as 1h30m or 1.5s',
    ],
    [
      'has a timestamp that is none',
      'request.time > timestamp("tomorrow")',
      '15: timestamp(): the text is no timestamp of RFC 3339',
    ],
    [
      'has a time zone that does not exist',
      'request.time.getHours("Mars/Base") > 3',
      '0: getHours(): the time zone is not known',
    ],
    [
      'asks for a header in upper case',
      'request.headers["X-Tenant"] == "a"',
      '0: the names of headers are in lower case',
    ],
    [
      'asks whether a header in upper case is there',
      '!("X-A" in request.headers)',
      '2: the names of headers are in lower case',
    ],
    ['has a number of more than 64 bits', '9223372036854775808 > 1', '0: the number needs more than 64 bits'],
  ])('that %s', (_title, source, why) => {
    expect(whyInvalid(source)).toBe(why);
  });

  test('and its neighbour that is right is not', () => {
    const right = [
      'identity.subject == ""',
      'identity.claims.admin == true',
      'request.path.matches("^/x")',
      'cidr("10.0.0.0/8").containsIP("10.0.0.1")',
      'request.time.getHours("Europe/Berlin") > 3',
      '"x-tenant" in request.headers',
      '-9223372036854775808 < 1',
    ];
    expect(right.map((source) => whyInvalid(source))).toEqual(right.map(() => 'of type bool'));
  });
});

describe('S23 nothing of JavaScript can be reached', () => {
  test.each([
    'constructor == 1',
    'identity.constructor == 1',
    'identity.__proto__ == 1',
    'has(identity.constructor)',
    'identity.toString() == ""',
    'request.path.length == 1',
    '"".constructor == 1',
    'globalThis == 1',
    'request.headers.get("x") == "y"',
    'bytes("{}").json() == {}',
    'request.request.path == ""',
  ])('%s is refused', (source) => {
    expect(whyInvalid(source)).toMatch(/^\d+: /);
  });

  test.each([
    'has(identity.claims.constructor)',
    'has(identity.claims.__proto__)',
    '"constructor" in identity.claims',
    '"__proto__" in request.headers',
    'has(request.query.toString)',
    '"hasOwnProperty" in context',
    '[1].exists(x, has(identity.claims.hasOwnProperty))',
    'identity.claims[?"valueOf"].hasValue()',
  ])('%s is false', (source) => {
    expect(conditionOf(source).test(scopeOf())).toBe('false');
  });

  test.each([
    'identity.claims.constructor == "x"',
    'identity.claims["__proto__"] == "x"',
    'identity.claims.roles.length == 3',
  ])('%s has no value', (source) => {
    expect(conditionOf(source).test(scopeOf())).toMatchObject({ code: 'absent' });
  });

  test('a claim of such a name is a claim like others', () => {
    const claims: unknown = JSON.parse('{"__proto__": "p", "constructor": "c"}');
    const scope = scopeOf({}, { identity: { ...scopeOf().identity, claims: claims as Record<string, string> } });
    const source = 'identity.claims.constructor == "c" && identity.claims["__proto__"] == "p"';
    expect(conditionOf(source).test(scope)).toBe('true');
  });
});

describe('S24 a missing key is an error', () => {
  const scope = scopeOf({ headers: [{ name: 'x-tenant', value: 'acme', isText: true }] });

  test.each([
    ['a claim', 'identity.claims.nope == "x"', 'identity.claims.nope is absent'],
    ['a claim that must not be something', 'identity.claims.nope != "x"', 'identity.claims.nope is absent'],
    ['a claim of a claim', 'identity.claims.address.street == "x"', 'identity.claims.address.street is absent'],
    ['a header', 'request.headers["x-nope"] == "x"', 'request.headers.x-nope is absent'],
    ['a parameter', 'request.query.page[0] == "1"', 'request.query.page is absent'],
    ['an element', 'identity.roles[7] == "x"', 'identity.roles.7 is absent'],
    ['the route where the proxy does not say', 'route.name == ""', 'route.name is absent'],
    ['a negated error', '!(identity.claims.nope == "x")', 'identity.claims.nope is absent'],
    ['an error beside true', 'identity.claims.nope == "x" && true', 'identity.claims.nope is absent'],
    ['an error beside false', 'false || identity.claims.nope == "x"', 'identity.claims.nope is absent'],
    [
      'an error in a quantifier',
      'identity.scopes.all(s, identity.claims[s] == 1)',
      'a member of identity.claims is absent',
    ],
  ])('%s', (_title, source, failure) => {
    expect(conditionOf(source).test(scope)).toEqual({ failure, code: 'absent' });
  });

  test.each([
    ['in', '"nope" in identity.claims', 'false'],
    ['in for what is there', '"x-tenant" in request.headers', 'true'],
    ['has()', 'has(identity.claims.nope)', 'false'],
    ['has() for what is there', 'has(identity.claims.address.city)', 'true'],
    ['has() for a claim that is null', 'has(identity.claims.nick)', 'true'],
    ['orValue()', 'identity.claims[?"nope"].orValue("none") == "none"', 'true'],
    ['orValue() for what is there', 'identity.claims.?tenant.orValue("none") == "acme"', 'true'],
    ['or()', 'identity.claims.?nope.or(identity.claims.?tenant).value() == "acme"', 'true'],
    ['a guard', 'has(identity.claims.nope) && identity.claims.nope == "x"', 'false'],
    ['a term that decides', 'identity.claims.nope == "x" || identity.subject == "alice"', 'true'],
    ['a term that decides on the other side', 'identity.subject == "bob" && identity.claims.nope == "x"', 'false'],
  ])('%s asks without one', (_title, source, result) => {
    expect(conditionOf(source).test(scope)).toBe(result);
  });

  test('an error of another kind has no value either', () => {
    expect(conditionOf('identity.claims.tenant > 1').test(scope)).toMatchObject({ code: 'value' });
    expect(conditionOf('1 / (identity.claims.level == 3 ? 0 : 1) == 1').test(scope)).toMatchObject({ code: 'value' });
    expect(conditionOf('has(identity.claims.tenant.name)').test(scope)).toMatchObject({ code: 'value' });
  });
});

describe('S15 the condition of a Denied rule', () => {
  test.each(['identity.subject == "x"', 'peer.subject == ""', 'context["a"] == "b"', 'policy.name == "x"'])(
    'cannot name %s',
    (source) => {
      expect(whyInvalid(source, 'deniedCondition')).toMatch(/^0: unknown variable/);
      expect(whyInvalid(source, 'condition')).toBe('of type bool');
    },
  );

  test('sees the request', () => {
    const condition = compileCondition('request.method == "GET"', 'deniedCondition');
    expect(condition.kind === 'condition' && condition.test(requestOnly(scopeOf().request))).toBe('true');
  });
});
