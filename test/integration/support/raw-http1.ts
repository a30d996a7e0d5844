import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  /** In the order received, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const timeoutMs = 10_000;

/**
 * One HTTP/1.1 exchange, byte for byte: the lines of the head as they are given (`GET //a HTTP/1.1`, `Host: a`, `Host: b`), in latin1,
 * and nothing added but `Connection: close` and the empty line. Rejects where no answer comes.
 */
export function rawHttp1(port: number, head: readonly string[], body = ''): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer in time')));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('error', reject);
    socket.once('close', () => {
      const answer = parseAnswer(Buffer.concat(chunks).toString('latin1'));
      if (answer === undefined) reject(new Error('the connection was closed without an answer'));
      else resolve(answer);
    });
    socket.write([...head, 'Connection: close', '', body].join('\r\n'), 'latin1');
  });
}

function parseAnswer(text: string): RawAnswer | undefined {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine, ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/u.exec(statusLine ?? '')?.[1];
  if (status === undefined) return undefined;
  const headers = lines.map((line): readonly [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const chunked = headers.some(([name, value]) => name === 'transfer-encoding' && value === 'chunked');
  const rest = text.slice(end + 4);
  const bytes = Buffer.from(chunked ? dechunk(rest) : rest, 'latin1');
  return { status: Number(status), headers, body: bytes.toString('utf8') };
}

/** The data of a chunked body (RFC 9112 7.1). */
function dechunk(text: string): string {
  let data = '';
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (lineEnd < 0 || Number.isNaN(size) || size === 0) return data;
    data += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
}
