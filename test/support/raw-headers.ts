import type { RawHeader, RawHeaders, RawRequest } from '../../src/core/request.ts';

/** Header fields out of a list, as a decoder gives them. */
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

/** The request with its header fields as a list, to be compared. */
export function listed(request: RawRequest): object {
  const { underscored } = request.headers;
  return { ...request, headers: [...request.headers], underscored: [...underscored] };
}
