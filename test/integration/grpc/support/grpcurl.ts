import { runCommand } from '../../../../src/dev/run-command.ts';
import type { Shop } from './shop.ts';
import type { Way } from './served-shop.ts';

/** What grpcurl tells of a call. */
export interface GrpcurlOutcome {
  /** Every message that came, as JSON. */
  readonly answers: readonly unknown[];
  /** `OK`, the name of the gRPC status, or what grpcurl says where it could not call. */
  readonly status: string;
}

export interface GrpcurlCall {
  readonly data?: object;
  /** After how many seconds it gives up: sent along as grpc-timeout. */
  readonly maxTime?: number;
  /** The folder and the file of the protos; ours where they are not given. */
  readonly protos?: readonly [folder: string, file: string];
  readonly flags?: readonly string[];
  readonly onOutput?: (piece: string) => void;
}

const authorizationProto = 'envoy/service/auth/v3/external_auth.proto';
const healthProto = 'grpc/health/v1/health.proto';
const timeoutMs = 30_000;

export const checkMethod = 'envoy.service.auth.v3.Authorization/Check';
export const healthCheckMethod = 'grpc.health.v1.Health/Check';
export const healthWatchMethod = 'grpc.health.v1.Health/Watch';

/** Calls the method with grpcurl, a client on grpc-go. It knows our protos: we do not serve reflection. */
export async function callByGrpcurl(
  grpcurl: string,
  secured: readonly string[],
  address: string,
  method: string,
  { data = {}, maxTime = 20, protos, flags = [], onOutput }: GrpcurlCall = {},
): Promise<GrpcurlOutcome> {
  const [folder, ...files] = protos ?? ['proto', authorizationProto, healthProto];
  const known = ['-import-path', folder ?? '', ...files.flatMap((file) => ['-proto', file])];
  const args = [...secured, ...known, '-max-time', `${maxTime}`, '-d', JSON.stringify(data), ...flags, address, method];
  const { code, output } = await runCommand(grpcurl, args, { timeoutMs, onOutput });
  const [printed = '', failure] = output.split('ERROR:\n');
  const status = /^ {2}Code: (\w+)$/mu.exec(failure ?? '')?.[1];
  if (code === 0) return { answers: messagesIn(printed), status: 'OK' };
  return status === undefined ? { answers: [], status: output } : { answers: messagesIn(printed), status };
}

/** How grpcurl speaks to a service of the shop. */
export function grpcurlFlags(way: Way, shop: Shop): readonly string[] {
  const trusting = ['-cacert', shop.pathOf('server-ca.crt')];
  switch (way) {
    case 'plain':
      return ['-plaintext'];
    case 'unix':
      return ['-plaintext', '-unix'];
    case 'tls':
      return trusting;
    case 'mutual':
      return [...trusting, '-cert', shop.pathOf('client.crt'), '-key', shop.pathOf('client.key')];
  }
}

/** grpcurl prints each message over several lines, the last of which is a brace. */
function messagesIn(printed: string): readonly unknown[] {
  return printed
    .split(/(?<=^\})\n/mu)
    .filter((text) => text.trim() !== '')
    .map((text): unknown => JSON.parse(text));
}
