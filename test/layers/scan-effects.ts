import type { VisitorObject } from 'rolldown/utils';
import type { Effect } from './layer-table.ts';

/** A place where a file touches what most files may not. */
export interface Touch {
  readonly effect: Effect;
  /** As it stands in the source: `Date.now`. */
  readonly what: string;
  readonly line: number;
}

const globals: ReadonlyMap<string, Effect> = new Map([
  ['setTimeout', 'timers'],
  ['setInterval', 'timers'],
  ['setImmediate', 'timers'],
  ['fetch', 'fetch'],
]);

const members: ReadonlyMap<string, Effect> = new Map([
  ['Date.now', 'clock'],
  ['performance.now', 'clock'],
  ['process.hrtime', 'clock'],
  ['process.uptime', 'clock'],
  ['AbortSignal.timeout', 'timers'],
  ['Math.random', 'randomness'],
  ['crypto.randomUUID', 'randomness'],
  ['crypto.getRandomValues', 'randomness'],
  ['process.env', 'environment'],
]);

const modules: ReadonlyMap<string, Effect> = new Map([
  ['node:timers', 'timers'],
  ['node:timers/promises', 'timers'],
  ['node:process', 'environment'],
]);

/** Names of `node:crypto` that make something random. */
const random = /^(?:random|getRandomValues|generateKey|webcrypto)/u;

interface Node {
  readonly type: string;
  readonly start: number;
  readonly name?: unknown;
}

/** Tells every touch of a program. A member of the same name on something else (`client.fetch`) is none. */
export function effectVisitor(tell: (touch: Touch) => void, lineOf: (offset: number) => number): VisitorObject {
  const found = (effect: Effect | undefined, what: string, node: Node): void => {
    if (effect !== undefined) tell({ effect, what, line: lineOf(node.start) });
  };
  const calledGlobally = (node: Node): void => {
    const name = nameOf(node);
    if (name !== undefined) found(globals.get(name), name, node);
  };
  return {
    CallExpression(node) {
      calledGlobally(node.callee);
      // Handed over by name: `run(setTimeout)`.
      for (const argument of node.arguments) calledGlobally(argument);
      if (nameOf(node.callee) === 'Date') found('clock', 'Date()', node);
    },
    NewExpression(node) {
      if (nameOf(node.callee) === 'Date' && node.arguments.length === 0) found('clock', 'new Date()', node);
    },
    MemberExpression(node) {
      const member = nameOf(node.property) ?? '';
      const path = `${nameOf(node.object) ?? ''}.${member}`;
      found(path.startsWith('globalThis.') ? globals.get(member) : members.get(path), path, node);
    },
    VariableDeclarator(node) {
      if (node.init === null) return;
      calledGlobally(node.init);
      // `const { env } = process`, `const { now } = Date`.
      if (node.id.type !== 'ObjectPattern') return;
      for (const property of node.id.properties) {
        const key = property.type === 'Property' ? nameOf(property.key) : undefined;
        const path = `${nameOf(node.init) ?? ''}.${key ?? ''}`;
        found(members.get(path), path, node);
      }
    },
    ImportDeclaration(node) {
      found(modules.get(node.source.value), node.source.value, node);
      if (node.source.value !== 'node:crypto') return;
      for (const specifier of node.specifiers) {
        const name = specifier.type === 'ImportSpecifier' ? nameOf(specifier.imported) : undefined;
        if (name !== undefined && random.test(name)) found('randomness', `${name} of node:crypto`, node);
      }
    },
  };
}

function nameOf(node: Node): string | undefined {
  return node.type === 'Identifier' && typeof node.name === 'string' ? node.name : undefined;
}
