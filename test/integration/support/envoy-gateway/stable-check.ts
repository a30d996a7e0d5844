import type { JsonValue } from '../../../../src/core/json.ts';
import { mapObjects } from '../json-at.ts';

/** In place of what differs from one run or machine to the next: values of the right type, so that a fixture can be encoded again. */
const steady: Readonly<Record<string, JsonValue>> = {
  time: { seconds: '1790000000' },
  id: '1234567890',
  portValue: 40_000,
  'x-request-id': '00000000-0000-4000-8000-000000000000',
  // Envoy appends an address of the machine.
  'x-forwarded-for': '192.0.2.1',
};

/** A decoded CheckRequest as JSON with its members sorted: the same for the same request. */
export function stableCheck(decoded: object): JsonValue {
  // Through JSON: Buffers and prototypes do not take part.
  const plain: JsonValue = JSON.parse(JSON.stringify(decoded));
  return mapObjects(plain, (object) =>
    Object.fromEntries(
      Object.entries(object)
        .map(([name, value]) => [name, steady[name] ?? value] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    ),
  );
}
