import type { Headers, Query } from '../../core/request.ts';
import { Fault } from './fault.ts';
import { MapValue, type Key, type MapSource } from './value.ts';

const notText = new Fault('value', 'the header holds bytes that are not UTF-8');

/** Header fields by lower-case name; one whose bytes are no text is there and cannot be read. */
export function headersMap(headers: Headers): MapValue {
  return new MapValue(
    lazySource(
      (name) => (headers.isText(name) ? headers.get(name) : notText),
      () => headers.names(),
    ),
  );
}

/** Parameters by name, each with all its values. */
export function queryMap(query: Query): MapValue {
  return new MapValue(
    lazySource(
      (name) => {
        const values = query.getAll(name);
        return values.length === 0 ? undefined : values;
      },
      () => query.names(),
    ),
  );
}

export function textMap(texts: ReadonlyMap<string, string>): MapValue {
  return new MapValue(
    lazySource(
      (name) => texts.get(name),
      () => texts.keys(),
    ),
  );
}

/** A map that asks for what it is asked; its keys are gathered where an expression loops over them. */
function lazySource(get: (name: string) => ReturnType<MapSource['get']>, names: () => Iterable<string>): MapSource {
  let known: readonly string[] | undefined;
  const keys = (): readonly string[] => (known ??= [...names()]);
  return {
    get: (key: Key) => (typeof key === 'string' ? get(key) : undefined),
    keys,
    get size() {
      return keys().length;
    },
  };
}
