import type { RawHeader, RawHeaders } from '../core/request.ts';

/** Header fields out of a list, where no message is that they could be read from. */
export function rawHeaders(fields: readonly RawHeader[]): RawHeaders {
  return {
    length: fields.length,
    find: (name, from) => fields.findIndex((field, place) => place >= from && field.name === name),
    valueAt: (place) => fields[place]?.value ?? '',
    isTextAt: (place) => fields[place]?.isText ?? true,
    underscored: fields.map(({ name }) => name).filter((name) => name.includes('_')),
    [Symbol.iterator]: () => fields[Symbol.iterator](),
  };
}
