import type { ASTNode } from '@marcbachmann/cel-js';
import { namespaces } from '../functions/function-table.ts';
import { limits } from '../limits.ts';
import { toInt } from '../operators/arithmetic.ts';
import { Fault } from '../values/fault.ts';
import { Uint, type Value } from '../values/value.ts';
import { checkWholeMember, hiddenPrefix, Rejection } from './library.ts';
import { type FoldMacro, type Member, type Tree } from './tree.ts';

/**
 * Turns the library's tree into ours, and hides the calls of functions from the library's own definitions, so that its check sees only
 * those of our table. Call it before the check. Throws a Rejection where the tree is too deep or holds what does not exist.
 */
export function readTree(ast: ASTNode): Tree {
  return read(ast, { depth: 0, folds: 0 });
}

/** How deep a node stands: in the tree, and in the bodies of macros that loop. */
interface Depth {
  readonly depth: number;
  readonly folds: number;
}

function read(ast: ASTNode, above: Depth): Tree {
  const here = { ...above, depth: above.depth + 1 };
  const at = ast.pos;
  if (here.depth > limits.depth) throw new Rejection(`it is nested more than ${limits.depth} deep`, at);
  switch (ast.op) {
    case 'value':
      return { op: 'literal', at, value: readLiteral(ast.args, at) };
    case 'id':
      return { op: 'name', at, name: ast.args };
    case '.':
    case '.?':
    case '[]':
    case '[?]':
      return readMember(ast, here);
    case 'call':
      return readCall(ast, here);
    case 'rcall':
      return readMethod(ast, here);
    case 'list':
      return { op: 'list', at, elements: ast.args.map((element) => read(element, here)) };
    case 'map':
      return { op: 'map', at, entries: ast.args.map(([key, value]) => [read(key, here), read(value, here)]) };
    case '?:': {
      const [test, yes, no] = ast.args;
      return { op: 'if', at, test: read(test, here), yes: read(yes, here), no: read(no, here) };
    }
    case '||':
    case '&&':
      return { op: ast.op === '||' ? 'or' : 'and', at, terms: termsOf(ast, ast.op).map((term) => read(term, here)) };
    case '!_':
      return { op: 'not', at, of: read(ast.args, here) };
    case '-_':
      return readNegative(ast, here);
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case 'in': {
      const [left, right] = ast.args;
      return { op: 'binary', at, operator: ast.op, left: read(left, here), right: read(right, here) };
    }
  }
}

/** `a && b && c` as three terms: a chain is as long as the author likes and one level deep. */
function termsOf(ast: ASTNode, op: '||' | '&&'): ASTNode[] {
  const terms: ASTNode[] = [];
  const waiting = [ast];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.op === op) waiting.push(next.args[1], next.args[0]);
    else terms.push(next);
  }
  return terms;
}

function readLiteral(value: Literal, at: number): Value {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'bigint') {
    if (toInt(value) instanceof Fault) throw new Rejection('the number needs more than 64 bits', at);
    return value;
  }
  return new Uint(value.value);
}

type Literal = Extract<ASTNode, { op: 'value' }>['args'];

/** The smallest int has no literal of its own: its number without the sign is out of range. */
function readNegative(ast: Extract<ASTNode, { op: '-_' }>, here: Depth): Tree {
  const { args: of, pos: at } = ast;
  if (of.op === 'value' && typeof of.args === 'bigint') {
    return { op: 'literal', at, value: readLiteral(-of.args, at) };
  }
  return { op: 'negative', at, of: read(of, here) };
}

function readMember(ast: Extract<ASTNode, { op: '.' | '.?' | '[]' | '[?]' }>, here: Depth): Member {
  const [of, key] = ast.args;
  return {
    op: 'member',
    at: ast.pos,
    of: read(of, here),
    key: typeof key === 'string' ? { op: 'literal', at: ast.pos, value: key } : read(key, here),
    optional: ast.op === '.?' || ast.op === '[?]',
  };
}

function readCall(ast: Extract<ASTNode, { op: 'call' }>, here: Depth): Tree {
  const [name, args] = ast.args;
  const [first] = args;
  if (name === 'has' && first !== undefined && args.length === 1) {
    const member = read(first, here);
    if (member.op !== 'member') throw new Rejection('has() takes a member, such as identity.claims.tenant', ast.pos);
    checkWholeMember(ast, first);
    return { op: 'has', at: ast.pos, member };
  }
  ast.args[0] = hiddenPrefix + name;
  return { op: 'call', at: ast.pos, name, style: 'function', args: args.map((arg) => read(arg, here)) };
}

function readMethod(ast: Extract<ASTNode, { op: 'rcall' }>, here: Depth): Tree {
  const [name, receiver, args] = ast.args;
  const macro = readMacro(ast, here);
  if (macro !== undefined) return macro;
  ast.args[0] = hiddenPrefix + name;
  const given = args.map((arg) => read(arg, here));
  if (receiver.op === 'id' && (receiver.args === 'optional' || namespaces.has(receiver.args))) {
    return { op: 'call', at: ast.pos, name: `${receiver.args}.${name}`, style: 'function', args: given };
  }
  return { op: 'call', at: ast.pos, name, style: 'method', args: [read(receiver, here), ...given] };
}

const foldMacros: ReadonlyMap<string, FoldMacro> = new Map([
  ['all/2', 'all'],
  ['exists/2', 'exists'],
  ['exists_one/2', 'exists_one'],
  ['map/2', 'map'],
  ['map/3', 'map'],
  ['filter/2', 'filter'],
]);

function readMacro(ast: Extract<ASTNode, { op: 'rcall' }>, here: Depth): Tree | undefined {
  const [name, receiver, args] = ast.args;
  const at = ast.pos;
  const [first, second, third] = args;
  if (first === undefined) return undefined;
  if (args.length === 1 && (name === 'or' || name === 'orValue')) {
    const op = name === 'or' ? 'orOptional' : 'orValue';
    return { op, at, of: read(receiver, here), other: read(first, here) };
  }
  if (second === undefined) return undefined;
  if (name === 'bind' && third !== undefined && receiver.op === 'id' && receiver.args === 'cel') {
    return { op: 'bind', at, variable: variableName(first), value: read(second, here), body: read(third, here) };
  }
  const macro = foldMacros.get(`${name}/${args.length}`);
  if (macro === undefined) return undefined;
  const inside = { ...here, folds: here.folds + 1 };
  if (inside.folds > limits.nestedMacros) {
    throw new Rejection(`macros that loop are nested more than ${limits.nestedMacros} deep`, at);
  }
  return {
    op: 'fold',
    at,
    macro,
    range: read(receiver, here),
    variable: variableName(first),
    filter: third === undefined ? undefined : read(second, inside),
    body: read(third ?? second, inside),
  };
}

function variableName(ast: ASTNode): string {
  if (ast.op === 'id') return ast.args;
  throw new Rejection('the first argument of the macro is the name of a variable', ast.pos);
}
