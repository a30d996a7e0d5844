import { Fault } from '../values/fault.ts';
import { spendText } from '../values/meter.ts';
import { unary, within } from './definition.ts';

const malformed = new Fault('value', 'the text is not base64');
const shape = /^[A-Za-z0-9+/]*={0,2}$/;

/** `base64.encode(bytes)` with padding and `base64.decode(text)` with or without it (RFC 4648 section 4). */
export const base64Functions = [
  within(
    'base64',
    'encode',
    'string',
    unary(
      'bytes',
      (bytes, meter) => spendText(meter, Math.ceil(bytes.length / 3) * 4) ?? Buffer.from(bytes).toString('base64'),
    ),
  ),
  within(
    'base64',
    'decode',
    'bytes',
    unary('string', (text, meter) => {
      const over = spendText(meter, text.length);
      if (over !== undefined) return over;
      const bare = text.replace(/={1,2}$/, '');
      const isPadded = bare === text || text.length % 4 === 0;
      if (!shape.test(text) || !isPadded || bare.length % 4 === 1) return malformed;
      const bytes = Buffer.from(bare, 'base64');
      // One value has one spelling: unused bits are zero.
      return bytes.toString('base64').replace(/=+$/, '') === bare ? new Uint8Array(bytes) : malformed;
    }),
  ),
];
