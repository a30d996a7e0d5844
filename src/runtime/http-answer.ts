import type { IncomingMessage } from 'node:http';

/** What an endpoint of ours answers. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Further headers, names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Endpoints by their exact path; each answers GET and HEAD. */
export type HttpRoutes = ReadonlyMap<string, (request: IncomingMessage) => HttpAnswer | Promise<HttpAnswer>>;

/** One line of plain text. */
export function textAnswer(status: number, line: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${line}\n`, headers };
}

/** The answer of the route for the request: 404 for an unknown path, 405 for a method that is neither GET nor HEAD. */
export function routeRequest(routes: HttpRoutes, request: IncomingMessage): HttpAnswer | Promise<HttpAnswer> {
  const [path = ''] = (request.url ?? '').split('?', 1);
  const route = routes.get(path);
  if (route === undefined) return textAnswer(404, 'not found');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return textAnswer(405, 'method not allowed', { allow: 'GET, HEAD' });
  }
  return route(request);
}
