import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** Where a gRPC server of this machine is called. */
export type CallAddress =
  | { readonly kind: 'tcp'; readonly port: number }
  /** `ca` is the certificate (PEM) that its own must be issued by, for `localhost`. */
  | { readonly kind: 'tls'; readonly port: number; readonly ca: string }
  | { readonly kind: 'unix'; readonly path: string };

/** A connection over which HTTP/2 can be spoken at once (RFC 9113 section 3.3); over TLS it was agreed on by ALPN. */
export async function connectTo(address: CallAddress): Promise<Socket> {
  switch (address.kind) {
    case 'tcp':
      return connected(connect({ port: address.port, host: '127.0.0.1', noDelay: true }), 'connect');
    case 'unix':
      return connected(connect({ path: address.path }), 'connect');
    case 'tls': {
      const { port, ca } = address;
      const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca, ALPNProtocols: ['h2'] });
      await connected(socket, 'secureConnect');
      if (socket.alpnProtocol !== 'h2') throw new Error('a server of the bench does not speak HTTP/2 over TLS');
      return socket.setNoDelay();
    }
  }
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
