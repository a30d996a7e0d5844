import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createCheckRequestDecoder } from '../../../src/envoy/decode-check-request.ts';
import { codecOf } from '../../../src/envoy/protos.ts';

const [, block = ''] = /### Asked by hand.*?```sh\n(.*?)```/s.exec(readFileSync('docs/grpc.md', 'utf8')) ?? [];
const commands = block.replaceAll('\\\n', ' ').trim().split('\n');

describe('the commands of docs/grpc.md for grpcurl', () => {
  test('name protos that are there, with the method that each asks', () => {
    expect(commands).toHaveLength(2);
    for (const command of commands) {
      const [, folder = '', file = ''] = /-import-path (\S+) -proto (\S+)/.exec(command) ?? [];
      const [, service = '', method = ''] = /\.(\w+)\/(\w+)$/.exec(command) ?? [];
      const proto = readFileSync(`${folder}/${file}`, 'utf8');
      expect(proto).toMatch(new RegExp(`service ${service} \\{`));
      expect(proto).toMatch(new RegExp(`rpc ${method}\\(`));
    }
  });

  test('send a check that is read as the request that it names', () => {
    const [, data = ''] = /-d '(.*?)'/.exec(commands[0] ?? '') ?? [];
    const asked: unknown = JSON.parse(data);
    const message = codecOf('envoy.service.auth.v3.CheckRequest').encode(asked as object);
    expect(createCheckRequestDecoder().decode(message)).toMatchObject({
      kind: 'request',
      request: { method: 'GET', target: '/healthz', host: 'api.example.com' },
    });
  });
});
