import { describe, expect, test } from 'vitest';
import { createHealthService, type HealthService } from '../../../src/envoy/health-service.ts';
import { codecOf } from '../../../src/envoy/protos.ts';
import type { ServerStream, UnaryCall } from '../../../src/grpc/transport.ts';

const names = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const request = (service: string) => codecOf('grpc.health.v1.HealthCheckRequest').encode({ service });
const call: UnaryCall = { remainingMs: undefined, cancelled: false, peer: undefined };
const authorization = 'envoy.service.auth.v3.Authorization';

function nameOf(bytes: Uint8Array): string | undefined {
  const { status = 0 }: { status?: number } = codecOf('grpc.health.v1.HealthCheckResponse').decode(bytes);
  return names[status];
}

function check(health: HealthService, message: Uint8Array): string | undefined {
  const method = health.methods.find(({ path }) => path === '/grpc.health.v1.Health/Check');
  if (method?.kind !== 'unary') throw new Error('no Check');
  const answer = method.handle(message, call);
  return answer instanceof Promise ? 'not at once' : nameOf(answer);
}

/** What a watcher of the service has heard, and how it leaves. */
function watch(health: HealthService, message: Uint8Array): { heard: (string | undefined)[]; leave: () => void } {
  const method = health.methods.find(({ path }) => path === '/grpc.health.v1.Health/Watch');
  if (method?.kind !== 'server-streaming') throw new Error('no Watch');
  const heard: (string | undefined)[] = [];
  const stream: ServerStream = { send: (bytes) => heard.push(nameOf(bytes)), end: () => heard.push('ended') };
  return { heard, leave: method.open(message, stream) };
}

describe.each(['', authorization])('the health of %j', (service) => {
  test('is NOT_SERVING until told, and follows what is told', () => {
    const health = createHealthService();
    const seen = [check(health, request(service))];
    for (const serving of [true, false, true]) {
      health.setServing(serving);
      seen.push(check(health, request(service)));
    }
    expect(seen).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING', 'SERVING']);
  });

  test('is told to a watcher at once and at every change, until it leaves', () => {
    const health = createHealthService();
    const { heard, leave } = watch(health, request(service));
    health.setServing(true);
    health.setServing(true);
    health.setServing(false);
    leave();
    health.setServing(true);
    expect(heard).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']);
  });
});

test('another service is NOT_FOUND for Check and SERVICE_UNKNOWN, and no more, for Watch', () => {
  const health = createHealthService();
  expect(() => check(health, request('other'))).toThrow(expect.objectContaining({ status: 'NOT_FOUND' }));
  const { heard } = watch(health, request('other'));
  health.setServing(true);
  expect(heard).toEqual(['SERVICE_UNKNOWN']);
});

test('bytes that are no request are INVALID_ARGUMENT', () => {
  const health = createHealthService();
  const garbage = Uint8Array.of(0x0a, 0xff);
  expect(() => check(health, garbage)).toThrow(expect.objectContaining({ status: 'INVALID_ARGUMENT' }));
  expect(() => watch(health, garbage)).toThrow(expect.objectContaining({ status: 'INVALID_ARGUMENT' }));
});

test('watchers beyond the bound are refused until one leaves, those of unknown services counted', () => {
  const health = createHealthService(2);
  const first = watch(health, request(''));
  watch(health, request('other'));
  expect(() => watch(health, request(''))).toThrow(expect.objectContaining({ status: 'RESOURCE_EXHAUSTED' }));
  first.leave();
  expect(watch(health, request('')).heard).toEqual(['NOT_SERVING']);
});
