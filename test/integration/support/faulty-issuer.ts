import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';

/** How an issuer answers for its keys; discovery is always right but for `silent`, which answers nothing at all. */
export type IssuerFault = 'html' | 'error' | 'huge' | 'redirect' | 'gzip' | 'empty' | 'silent';

/** An identity provider at fault, on loopback. */
export async function startFaultyIssuer(fault: IssuerFault): Promise<{ readonly issuer: string; close(): void }> {
  const server = createServer((request, response) => {
    if (fault === 'silent') return;
    if (request.url?.includes('openid-configuration') === true) {
      response.end(JSON.stringify({ issuer: issuer(), jwks_uri: `${issuer()}/jwks` }));
      return;
    }
    switch (fault) {
      case 'html':
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>');
        return;
      case 'error':
        response.writeHead(500).end('{}');
        return;
      case 'huge':
        response.writeHead(200).end(`{"keys":[],"x":"${'a'.repeat(10 * 1024 * 1024)}"}`);
        return;
      case 'redirect':
        response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end();
        return;
      case 'gzip':
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10 * 1024 * 1024)));
        return;
      case 'empty':
        response.writeHead(200).end('{"keys":[]}');
        return;
      default:
        fault satisfies never;
    }
  });
  const issuer = (): string => {
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/idp`;
  };
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    issuer: issuer(),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
