import { encodeHeaderBlock } from './hpack/encode-header-block.ts';
import { statusCode, type StatusName } from './status.ts';

const contentType = ['content-type', 'application/grpc'] as const;

/** What goes before the message of an answer, and after it. */
export const answerHead = encodeHeaderBlock([[':status', '200'], contentType]);
export const okTrailers = encodeHeaderBlock([['grpc-status', '0']]);

/** Keeps a block within one frame whatever the message is. */
const maxMessageCharacters = 1000;

/** The trailers of a call whose head was sent. */
export function encodeFailure(status: StatusName, message: string): Buffer {
  return encodeHeaderBlock(statusFields(status, message));
}

/** The whole answer of a call that fails before anything was sent (gRPC over HTTP/2, Trailers-Only). */
export function encodeFailedAnswer(
  status: StatusName,
  message: string,
  more: readonly (readonly [string, string])[] = [],
): Buffer {
  return encodeHeaderBlock([[':status', '200'], contentType, ...more, ...statusFields(status, message)]);
}

/** The whole answer to what is no gRPC. */
export function encodeHttpAnswer(status: number, more: readonly (readonly [string, string])[] = []): Buffer {
  return encodeHeaderBlock([[':status', String(status)], ...more]);
}

function statusFields(status: StatusName, message: string): readonly (readonly [string, string])[] {
  const code = ['grpc-status', String(statusCode[status])] as const;
  return message === '' ? [code] : [code, ['grpc-message', percentEncode(message.slice(0, maxMessageCharacters))]];
}

/** As `grpc-message` has it: UTF-8, and a percent sign and two digits for all but the printable characters of ASCII. */
function percentEncode(message: string): string {
  let text = '';
  for (const byte of Buffer.from(message, 'utf8')) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    text += isPlain ? String.fromCodePoint(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
