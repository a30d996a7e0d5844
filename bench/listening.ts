import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority } from '../test/support/certificates.ts';
import type { CallAddress } from './call-address.ts';
import { freePort } from './free-port.ts';

/** How the gRPC port of a measured `serve` is reached. */
export type ListenKind = CallAddress['kind'];

/** Where it listens, as flags of `serve` and as who calls it needs it. */
export interface Listening {
  readonly flags: readonly string[];
  readonly address: CallAddress;
}

/** A free place to listen at; what it needs lies in the folder, in files of that name. A certificate is P-256, as the bench makes all of them. */
export async function prepareListening(kind: ListenKind, workFolder: string, name: string): Promise<Listening> {
  switch (kind) {
    case 'tcp': {
      const port = await freePort();
      return { flags: ['--grpc-address', `127.0.0.1:${port}`], address: { kind, port } };
    }
    case 'unix': {
      const path = join(workFolder, `${name}.sock`);
      return { flags: ['--grpc-address', `unix:${path}`], address: { kind, path } };
    }
    case 'tls': {
      const port = await freePort();
      const authority = createAuthority();
      const pair = authority.issue({ use: 'server' });
      const [certificate, key] = [join(workFolder, `${name}.crt`), join(workFolder, `${name}.key`)];
      await mkdir(workFolder, { recursive: true });
      await writeFile(certificate, pair.certificate);
      await writeFile(key, pair.key, { mode: 0o600 });
      const flags = ['--grpc-address', `127.0.0.1:${port}`, '--tls-certificate', certificate, '--tls-key', key];
      return { flags, address: { kind, port, ca: authority.certificate } };
    }
  }
}
