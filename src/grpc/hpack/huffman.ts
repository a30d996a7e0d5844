import { codeLengths, endOfString } from './huffman-code.ts';

/**
 * The decoder as a machine of states, one step for each half byte: the shortest code has five bits, so a step gives at most one byte. An entry holds
 * the next state, and above it what the step gives.
 */
const steps = new Uint32Array(256 * 16);
const stateMask = 0xff;
const emits = 0x100;
const fails = 0x200;
const symbolShift = 16;
/** In these a string may end: what is left over is the beginning of the code of the end of the string, shorter than a byte. */
const mayEnd = new Uint8Array(256);

buildMachine();

/**
 * Decodes `source` from `start` to `end` into `target`, which must have room for 8/5 of it (RFC 7541 section 5.2). Answers how many bytes came out, or -1
 * where it is no Huffman code.
 */
export function decodeHuffman(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let state = 0;
  let written = 0;
  for (let at = start; at < end; at++) {
    const byte = source[at] ?? 0;
    const high = steps[(state << 4) | (byte >> 4)] ?? fails;
    if ((high & emits) !== 0) target[written++] = high >> symbolShift;
    const low = steps[((high & stateMask) << 4) | (byte & 15)] ?? fails;
    if ((low & emits) !== 0) target[written++] = low >> symbolShift;
    if (((high | low) & fails) !== 0) return -1;
    state = low & stateMask;
  }
  return mayEnd[state] === 1 ? written : -1;
}

/** The tree of codes: a node below 256 is a state, its children are nodes or, from 256 on, a leaf: its symbol and 256. */
function buildTree(): Uint16Array {
  const children = new Uint16Array(256 * 2);
  const symbols = codeLengths.map((_length, symbol) => symbol);
  const lengthOf = (symbol: number): number => codeLengths[symbol] ?? 0;
  symbols.sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  let nodes = 1;
  let code = 0;
  let length = lengthOf(symbols[0] ?? 0);
  for (const symbol of symbols) {
    code *= 2 ** (lengthOf(symbol) - length);
    length = lengthOf(symbol);
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const child = node * 2 + ((code >> bit) & 1);
      if (children[child] === 0) children[child] = nodes++;
      node = children[child] ?? 0;
    }
    children[node * 2 + (code & 1)] = 256 + symbol;
    code++;
  }
  return children;
}

function buildMachine(): void {
  const children = buildTree();
  for (let state = 0; state < 256; state++) {
    for (let half = 0; half < 16; half++) steps[(state << 4) | half] = walk(children, state, half);
  }
  for (let node = 0, depth = 0; depth < 8; depth++, node = children[node * 2 + 1] ?? 0) mayEnd[node] = 1;
}

function walk(children: Uint16Array, state: number, half: number): number {
  let node = state;
  let given = 0;
  for (let bit = 3; bit >= 0; bit--) {
    node = children[node * 2 + ((half >> bit) & 1)] ?? 0;
    if (node === 256 + endOfString) return fails;
    if (node < 256) continue;
    given = emits | ((node - 256) << symbolShift);
    node = 0;
  }
  return given | node;
}
