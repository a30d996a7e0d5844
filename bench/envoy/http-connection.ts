import { connect, type Socket } from 'node:net';

/** Gets the status of the answer; undefined where there is none. */
export type OnStatus = (status: number | undefined) => void;

/** A kept HTTP/1.1 connection to this machine with one exchange at a time, which reads of an answer its status and skips the rest. */
export interface HttpConnection {
  /** Sends a whole request as it is; not before the answer to the one before. */
  send(request: Uint8Array, onStatus: OnStatus): void;
  close(): void;
}

export async function openHttpConnection(port: number): Promise<HttpConnection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return new KeptConnection(socket);
}

const endOfHead = Buffer.from('\r\n\r\n');

class KeptConnection implements HttpConnection {
  readonly #socket: Socket;
  #onStatus: OnStatus | undefined;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => this.#end(undefined));
    socket.on('close', () => this.#end(undefined));
  }

  send(request: Uint8Array, onStatus: OnStatus): void {
    if (this.#socket.destroyed) {
      process.nextTick(onStatus, undefined);
      return;
    }
    this.#onStatus = onStatus;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = bytes;
    const head = bytes.indexOf(endOfHead);
    if (head < 0) return;
    const text = bytes.toString('latin1', 0, head);
    const length = /^content-length: (\d+)$/im.exec(text)?.[1];
    // Envoy tells the length of every answer that it makes itself.
    if (length === undefined) {
      this.#socket.destroy();
      return;
    }
    if (bytes.length < head + endOfHead.length + Number(length)) return;
    this.#rest = Buffer.alloc(0);
    this.#end(Number(text.slice(9, 12)));
  }

  #end(status: number | undefined): void {
    const told = this.#onStatus;
    this.#onStatus = undefined;
    told?.(status);
  }
}
