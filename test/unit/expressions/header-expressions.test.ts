import { describe, expect, test } from 'vitest';
import { anonymous } from '../../../src/core/identity.ts';
import { compileExpression } from '../../../src/expressions/compile-expression.ts';
import type { Scope } from '../../../src/expressions/scope.ts';
import { scopeOf } from './expression-fixtures.ts';

function evaluate(source: string, scope: Scope = scopeOf()): unknown {
  const compiled = compileExpression(source, 'header');
  if (compiled.kind === 'invalid') throw new Error(compiled.why);
  const result = compiled.evaluate(scope);
  return 'failure' in result ? result.code : result.value;
}

describe('S25 the expression of a header', () => {
  test.each([
    ['text', 'identity.subject', 'alice'],
    ['text that is put together', '"user:" + identity.subject', 'user:alice'],
    ['an int', 'size(identity.roles)', '2'],
    ['a uint', '7u', '7'],
    ['a double', '1.5', '1.5'],
    ['a number of JSON', 'identity.claims.level', '3'],
    ['the largest number that is exact', '9007199254740991.0', '9007199254740991'],
    ['an integer of CEL, which always is', '9007199254740993', '9007199254740993'],
    ['a bool', 'identity.authenticated', 'true'],
    ['a list', 'identity.roles', ['admin', 'dev']],
    ['a list of numbers and bools', '[dyn(1), dyn(true), dyn(0.5)]', ['1', 'true', '0.5']],
    ['a list of JSON', 'identity.claims.groups', ['a', 'b']],
    ['a list that is made', 'identity.roles.map(r, r.upperAscii())', ['ADMIN', 'DEV']],
    ['an empty text', '""', ''],
    ['an empty list', '[]', []],
    ['an optional', 'identity.claims.?tenant', 'acme'],
  ])('gives %s', (_title, source, value) => {
    expect(evaluate(source)).toEqual(value);
  });

  test.each([
    ['a claim', 'identity.claims.nope'],
    ['a claim by brackets', 'identity.claims["https://acme.com/nope"]'],
    ['a claim of a claim', 'identity.claims.address.street'],
    ['a claim of a claim that is absent', 'identity.claims.nope.deeper'],
    ['a claim that is null', 'identity.claims.nick'],
    ['a header', 'request.headers["x-nope"]'],
    ['a parameter', 'request.query.nope[0]'],
    ['an element', 'identity.roles[5]'],
    ['the branch that was taken', 'has(identity.claims.a) ? identity.claims.a : identity.claims.b'],
    ['an optional without a value', 'identity.claims.?nope'],
    ['none', 'optional.none()'],
    ['null', 'null'],
    ['what the connection does not say', 'peer.claims.name'],
    ['the route', 'route.name'],
  ])('is absent where it names %s that is not there', (_title, source) => {
    expect(evaluate(source)).toBeUndefined();
  });

  test('is absent for the claims of nobody', () => {
    const nobody = scopeOf({}, { identity: anonymous });
    expect(evaluate('identity.claims.tenant', nobody)).toBeUndefined();
    expect(evaluate('identity.subject', nobody)).toBe('');
    expect(evaluate('has(identity.claims) ? "yes" : "no"', nobody)).toBe('no');
    expect(evaluate('has(identity.claims.tenant) ? "yes" : "no"', nobody)).toBe('absent');
  });

  test.each([
    ['an absent claim within a text', 'identity.claims.nope + "x"', 'absent'],
    ['an absent claim within a list', '[identity.claims.nope]', 'absent'],
    ['an absent claim as an argument', 'string(identity.claims.nope)', 'absent'],
    ['an absent claim as a key', 'identity.claims[identity.claims.nope]', 'absent'],
    ['an absent claim that is tested', 'identity.claims.nope == 1 ? "a" : "b"', 'absent'],
    ['a member of a text', 'identity.claims.tenant.name', 'value'],
    ['a division by zero', '1 / (size(identity.roles) - 2)', 'value'],
    ['an object', 'identity.claims.address', 'result'],
    ['a list of objects', '[identity.claims.address]', 'result'],
    ['a list with null', '[identity.claims.nick]', 'result'],
    ['a number that is none', '0.0 / 0.0', 'result'],
    ['a number that may stand for another', '9007199254740992.0', 'result'],
    ['one in a list, below zero', '[dyn(-9007199254740992.0)]', 'result'],
  ])('fails for %s', (_title, source, code) => {
    expect(evaluate(source)).toBe(code);
  });

  test.each([
    ['identity', 'the value is of type identity, not text, number, bool or a list of these'],
    ['identity.claims', 'the value is of type map<string, dyn>, not text, number, bool or a list of these'],
    ['request.time', 'the value is of type google.protobuf.Timestamp, not text, number, bool or a list of these'],
    ['bytes("a")', 'the value is of type bytes, not text, number, bool or a list of these'],
    ['[identity.roles]', 'the value is of type list<list<string>>, not text, number, bool or a list of these'],
    ['type(1)', 'the value is of type type, not text, number, bool or a list of these'],
  ])('is refused where it can never give one: %s', (source, why) => {
    expect(compileExpression(source, 'header')).toEqual({ kind: 'invalid', why, position: 0 });
  });
});
