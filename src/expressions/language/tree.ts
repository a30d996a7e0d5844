import type { Value } from '../values/value.ts';

/** An expression that was parsed and checked, its macros by name and its operators as they are. `at` is the offset in the source. */
export type Tree =
  | (Node & { readonly op: 'literal'; readonly value: Value })
  | (Node & { readonly op: 'name'; readonly name: string })
  | Member
  | (Node & { readonly op: 'call'; readonly name: string; readonly style: CallStyle; readonly args: readonly Tree[] })
  | (Node & { readonly op: 'list'; readonly elements: readonly Tree[] })
  | (Node & { readonly op: 'map'; readonly entries: readonly (readonly [key: Tree, value: Tree])[] })
  | (Node & { readonly op: 'if'; readonly test: Tree; readonly yes: Tree; readonly no: Tree })
  | (Node & { readonly op: 'and' | 'or'; readonly terms: readonly Tree[] })
  | (Node & { readonly op: 'not' | 'negative'; readonly of: Tree })
  | (Node & { readonly op: 'binary'; readonly operator: BinaryOperator; readonly left: Tree; readonly right: Tree })
  | (Node & { readonly op: 'has'; readonly member: Member })
  | Fold
  | (Node & { readonly op: 'bind'; readonly variable: string; readonly value: Tree; readonly body: Tree })
  | (Node & { readonly op: 'orOptional' | 'orValue'; readonly of: Tree; readonly other: Tree });

interface Node {
  readonly at: number;
}

/** `of.key`, `of[key]`, and with `optional` `of.?key`, `of[?key]`. */
export interface Member extends Node {
  readonly op: 'member';
  readonly of: Tree;
  readonly key: Tree;
  readonly optional: boolean;
}

/** A macro that loops. */
export interface Fold extends Node {
  readonly op: 'fold';
  readonly macro: FoldMacro;
  readonly range: Tree;
  readonly variable: string;
  readonly filter: Tree | undefined;
  readonly body: Tree;
}

export type FoldMacro = 'all' | 'exists' | 'exists_one' | 'map' | 'filter';

export type BinaryOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%' | 'in';

/** `f(x)`; `x.f()`, where the receiver is the first argument; `base64.f(x)`, where the name is `base64.f`. */
export type CallStyle = 'function' | 'method';

/** A path through members by literal keys: `identity.claims.tenant`, `request.query["tag"][0]`. */
export function isPath(tree: Tree): boolean {
  if (tree.op === 'name') return true;
  return tree.op === 'member' && !tree.optional && tree.key.op === 'literal' && isPath(tree.of);
}

/** The parts of a node, for walks. */
export function partsOf(tree: Tree): readonly Tree[] {
  switch (tree.op) {
    case 'literal':
    case 'name':
      return [];
    case 'member':
      return [tree.of, tree.key];
    case 'call':
      return tree.args;
    case 'list':
      return tree.elements;
    case 'map':
      return tree.entries.flat();
    case 'if':
      return [tree.test, tree.yes, tree.no];
    case 'and':
    case 'or':
      return tree.terms;
    case 'not':
    case 'negative':
      return [tree.of];
    case 'binary':
      return [tree.left, tree.right];
    case 'has':
      return [tree.member];
    case 'fold':
      return tree.filter === undefined ? [tree.range, tree.body] : [tree.range, tree.filter, tree.body];
    case 'bind':
      return [tree.value, tree.body];
    case 'orOptional':
    case 'orValue':
      return [tree.of, tree.other];
  }
}

/** How many nodes the tree has. */
export function sizeOf(tree: Tree): number {
  return partsOf(tree).reduce((size, part) => size + sizeOf(part), 1);
}
