/**
 * The same exchange on our own transport, bytes in and bytes out: `node bench/bare-native.ts PORT ANSWER`, the answer in base64 with its gRPC prefix.
 */
import { createNativeTransport } from '../src/grpc/native-transport.ts';

const [port = '', answer = ''] = process.argv.slice(2);
const message = Buffer.from(answer, 'base64').subarray(5);
const path = '/envoy.service.auth.v3.Authorization/Check';
const silent = (): void => {};

const transport = createNativeTransport([{ kind: 'unary', path, fallback: undefined, handle: () => message }], {
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  timers: {
    after(delayMs, action) {
      const timer = setTimeout(action, delayMs);
      return () => clearTimeout(timer);
    },
  },
  log: { debug: silent, info: silent, warn: silent, error: silent },
});
await transport.listen(`127.0.0.1:${port}`);
process.once('SIGTERM', () => process.exit());
