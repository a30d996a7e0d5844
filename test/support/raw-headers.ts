import type { RawRequest } from '../../src/core/request.ts';

/** The request with its header fields as a list, to be compared. */
export function listed(request: RawRequest): object {
  const { underscored } = request.headers;
  return { ...request, headers: [...request.headers], underscored: [...underscored] };
}
