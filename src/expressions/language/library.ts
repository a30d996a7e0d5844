import { Environment as Library, ParseError, TypeError as CheckError, type ASTNode } from '@marcbachmann/cel-js';
import { messageOf } from '../../core/failure.ts';
import type { Environment } from '../environment.ts';
import { functions, namespaces, type FunctionDefinition } from '../functions/function-table.ts';
import { limits } from '../limits.ts';
import type { Kind } from '../values/kind.ts';
import { CidrValue, IpValue } from '../values/value.ts';

/** What the library knows: parsing and checking. Its evaluation is not used: it has no budget and its functions cannot be replaced. */
export interface Checker {
  /** The tree as the library has it. Throws a `Rejection`. */
  parse(source: string): ParsedSource;
}

export interface ParsedSource {
  readonly ast: ASTNode;
  /** The type of the whole, in CEL's spelling. Throws a `Rejection`. */
  check(): string;
}

/** An expression that is none. */
export class Rejection extends Error {
  /** Offset in the source; undefined where it has none. */
  readonly position: number | undefined;

  constructor(message: string, position: number | undefined) {
    super(message);
    this.name = 'Rejection';
    this.position = position;
  }
}

/** Functions are known to the library by names that nobody can write, so that its own ones are not found. */
export const hiddenPrefix = '#';

const checkerTypes: Readonly<Record<Kind, string>> = {
  any: 'dyn',
  string: 'string',
  int: 'int',
  uint: 'uint',
  double: 'double',
  bool: 'bool',
  bytes: 'bytes',
  null: 'null',
  list: 'list',
  texts: 'list<string>',
  map: 'map',
  record: 'dyn',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
  optional: 'optional',
  type: 'type',
  ip: 'net.IP',
  cidr: 'net.CIDR',
};

/** Compiles the environment into what checks sources against it. */
export function createChecker(environment: Environment): Checker {
  const library = new Library({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxDepth: 2 * limits.depth, maxAstNodes: limits.sourceLength },
  });
  for (const [type, constructor] of [
    ['net.IP', IpValue],
    ['net.CIDR', CidrValue],
  ] as const) {
    library.registerType(type, constructor);
    library.registerOperator(`${type} == ${type}`, () => false);
  }
  library.registerOperator('optional == optional', () => false);
  for (const operator of ['<', '<=', '>', '>=']) library.registerOperator(`bytes ${operator} bytes`, () => false);
  for (const namespace of namespaces) {
    const type = `namespace_${namespace}`;
    const Marker = class {
      readonly name = namespace;
    };
    library.registerType(type, Marker).registerConstant(namespace, type, new Marker());
  }
  for (const definition of functions) register(library, definition);
  for (const [name, variable] of environment.variables) {
    if (variable.kind === 'plain') library.registerVariable(name, variable.type);
    else {
      const schema = Object.fromEntries([...variable.fields].map(([field, { type }]) => [field, type]));
      library.registerVariable(name, { schema });
    }
  }
  return { parse: (source) => parse(library, source) };
}

function parse(library: Library, source: string): ParsedSource {
  const parsed = rejecting(() => library.parse(source));
  return {
    ast: parsed.ast,
    check: () =>
      rejecting(() => {
        const { valid, type, error } = parsed.check();
        if (!valid || type === undefined) throw error ?? new Rejection('it has no type', undefined);
        return inOurWords(type);
      }),
  };
}

function register(library: Library, { name, style, namespace, params, returns }: FunctionDefinition): void {
  const types = params.map((kind) => ({ type: checkerTypes[kind] }));
  const [first, ...rest] = types;
  const receiverType = namespace === undefined ? first?.type : receiverOf(namespace);
  library.registerFunction({
    name: `${hiddenPrefix}${name}`,
    ...(style === 'function' && namespace === undefined ? {} : { receiverType: receiverType ?? 'dyn' }),
    params: style === 'method' ? rest : types,
    returnType: returns,
    handler: () => null,
    async: false,
  });
}

function receiverOf(namespace: string): string {
  return namespace === 'optional' ? 'OptionalNamespace' : `namespace_${namespace}`;
}

function rejecting<T>(action: () => T): T {
  try {
    return action();
  } catch (thrown) {
    if (thrown instanceof ParseError || thrown instanceof CheckError) {
      const why = thrown.code === 'limit_exceeded' ? 'it is nested deeper or larger than it may be' : thrown.summary;
      throw new Rejection(inOurWords(why), thrown.range?.start);
    }
    // It throws others too, for `[].all(e, e > 0)` say: whatever it cannot check is no expression of ours.
    throw new Rejection(inOurWords(messageOf(thrown)), undefined);
  }
}

/**
 * Lets the check look at the whole argument of `has()`, not at its root alone: an unknown field is found and any path may stand before
 * the member. Call it before the check.
 */
export function checkWholeMember(has: ASTNode, argument: ASTNode): void {
  const meta: unknown = Reflect.get(has, 'meta');
  const macro: unknown = isObject(meta) ? meta['macro'] : undefined;
  if (!isObject(macro)) throw new TypeError('the library has no macro has()');
  macro['typeCheck'] = (checker: LibraryChecker, _macro: unknown, context: unknown) => {
    checker.check(argument, context);
    return checker.getType('bool');
  };
}

interface LibraryChecker {
  check(node: unknown, context: unknown): unknown;
  getType(name: string): unknown;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** The library's sentence or type without the names that we hide from authors. */
function inOurWords(text: string): string {
  const shown = text
    .replaceAll(hiddenPrefix, '')
    .replaceAll(/\bnamespace_(\w+)/g, '$1')
    .replaceAll(/\$(\w+)/g, '$1');
  return shown.charAt(0).toLowerCase() + shown.slice(1);
}
