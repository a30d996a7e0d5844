import { lengthOf } from '../values/code-points.ts';
import { spend, type Meter } from '../values/meter.ts';
import { method, plain, unary, type Body } from './definition.ts';

const bodies: readonly Body[] = [
  // By code points, as CEL counts.
  unary('string', (text, meter: Meter) => spend(meter, text.length >> 6) ?? BigInt(lengthOf(text))),
  unary('bytes', (bytes) => BigInt(bytes.length)),
  unary('list', (list) => BigInt(list.length)),
  unary('map', (map) => BigInt(map.source.size)),
];

/** `size(x)` and `x.size()`. */
export const sizes = bodies.flatMap((body) => [plain('size', 'int', body), method('size', 'int', body)]);
