import { createServer, type RequestListener, type Server } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { createHttpLoad, connections, type HttpLoad } from '../../../bench/envoy/http-load.ts';

let closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers) close();
  closers = [];
});

async function loadOf(listener: RequestListener): Promise<HttpLoad> {
  const server: Server = createServer(listener);
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
  const load = await createHttpLoad(port, Buffer.from('GET / HTTP/1.1\r\nhost: bench.example\r\n\r\n'));
  closers.push(() => {
    load.close();
    server.closeAllConnections();
    server.close();
  });
  return load;
}

function answer(status: number): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { 'content-length': 2 });
    response.end('ok');
  };
}

test('a closed loop goes on until its time is over, and every request has its answer', async () => {
  let asked = 0;
  const load = await loadOf((request, response) => {
    asked++;
    answer(200)(request, response);
  });
  const { answers, unexpected, latencies } = await load.saturate(0.1);
  expect([answers, unexpected, latencies.length]).toEqual([asked, 0, asked]);
  expect(answers).toBeGreaterThan(connections);
});

test('an open loop sends as many as it should, however late answers are, and counts the wait for a free connection', async () => {
  const load = await loadOf((request, response) => {
    setTimeout(() => answer(200)(request, response), 50);
  });
  // At 64 connections and 50 ms an answer no more than 1280 a second can be answered.
  const { answers, unexpected, latencies } = await load.pace(4000, 0.1);
  expect([answers, unexpected]).toEqual([400, 0]);
  expect(Math.max(...latencies)).toBeGreaterThan(150);
});

test('what is not answered with 200 is counted, and so is what is not answered', async () => {
  const refused = await loadOf(answer(403));
  expect(await refused.pace(1000, 0.05)).toMatchObject({ answers: 50, unexpected: 50 });
  const silent = await loadOf((request) => request.socket.destroy());
  expect(await silent.saturate(0.05)).toMatchObject({ answers: connections, unexpected: connections });
  expect(await silent.pace(1000, 0.05)).toMatchObject({ answers: 50, unexpected: 50 });
});
