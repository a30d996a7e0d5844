import { sendJson, startLoopbackServer, type LoopbackServer } from './loopback-server.ts';

/** What the upstream answers with: the request as it arrived behind the proxy. */
export interface Echo {
  readonly method: string;
  /** Path and query, verbatim. */
  readonly path: string;
  /** Names in lower case; every value of a name, in the order received. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

/** A service without any security of its own: it answers every request with what arrived. Counts nothing, keeps nothing. */
export function startEchoUpstream(port = 0): Promise<LoopbackServer> {
  return startLoopbackServer(port, (request, response) => {
    request.resume();
    const headers = Object.fromEntries(
      Object.entries(request.headersDistinct).map(([name, values]) => [name, values ?? []]),
    );
    const echo: Echo = { method: request.method ?? '', path: request.url ?? '', headers };
    sendJson(response, 200, echo);
  });
}
