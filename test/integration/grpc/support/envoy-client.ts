import { connect, type ClientHttp2Session } from 'node:http2';
import type { Echo } from '../../../../src/dev/echo-upstream.ts';

/** A client of Envoy that has many requests under way at once, on connections of HTTP/2. */
export interface EnvoyClient {
  /** The answer to `GET /orders`: the status, and where the service behind was reached the x-user that it saw. */
  order(token: string): Promise<string>;
  /** So many workers, each of which asks again once it is answered, until the answer is awaited: how often came which one. */
  keepAsking(token: string, workers: number): () => Promise<Readonly<Record<string, number>>>;
  close(): void;
}

/** A session carries half of what Envoy takes on one. */
const sessions = 4;

export async function connectToEnvoy(port: number): Promise<EnvoyClient> {
  const open = await Promise.all(Array.from({ length: sessions }, () => openSession(port)));
  let turn = 0;
  const order = (token: string): Promise<string> => {
    const session = open[turn++ % sessions];
    return session === undefined ? Promise.reject(new Error('there is no session')) : ask(session, token);
  };
  return {
    order,
    keepAsking(token, workers) {
      const counts: Record<string, number> = {};
      const load = new AbortController();
      const work = async (): Promise<void> => {
        while (!load.signal.aborted) {
          const answer = await order(token);
          counts[answer] = (counts[answer] ?? 0) + 1;
        }
      };
      const all = Promise.all(Array.from({ length: workers }, work));
      return async () => {
        load.abort();
        await all;
        return counts;
      };
    },
    close: () => open.forEach((session) => session.destroy()),
  };
}

function openSession(port: number): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.once('remoteSettings', () => resolve(session));
    session.once('error', reject);
  });
}

function ask(session: ClientHttp2Session, token: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':path': '/orders',
      ':authority': 'shop.example',
      authorization: `Bearer ${token}`,
    });
    let status: number | undefined;
    let body = '';
    stream.setEncoding('utf8');
    stream.on('response', (headers) => {
      status = headers[':status'];
    });
    stream.on('data', (piece: string) => {
      body += piece;
    });
    stream.on('error', reject);
    stream.on('end', () => resolve(status === 200 ? `200 ${userIn(body)}` : `${status}`));
    stream.end();
  });
}

function userIn(body: string): string {
  const echo: Echo = JSON.parse(body);
  return echo.headers['x-user']?.join() ?? 'nobody';
}
