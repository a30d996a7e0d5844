import { test } from 'vitest';
import { startCheckServer } from './check-server.ts';
import { authorizer, checkRequest, laterDecision } from './envoy-fixtures.ts';
import { callCheck } from './grpc-clients.ts';
test('x', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const later = laterDecision();
  const server = await startCheckServer({ authorizer: authorizer(() => { resolve(); return later.promise; }) });
  const t = Date.now();
  const answer = callCheck(server.client(), checkRequest()).then((a) => { console.log('answer', a, Date.now() - t); });
  await promise;
  void server.transport.drain(50).then((d) => console.log('drain', d, Date.now() - t));
  await new Promise((r) => setTimeout(r, 1500));
});
