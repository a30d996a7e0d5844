import { openCallConnection } from '../call-connection.ts';
import { encodeCallHeaders } from '../call-headers.ts';
import { encodeCheckMessage } from '../check-message.ts';
import { checkPath } from '../load.ts';
import { hostName, policyPath } from '../policy-folder.ts';
import type { PortcullisProcess } from '../portcullis-process.ts';
import type { Stand } from '../stand.ts';
import { verdictOf, type Verdict } from '../verdict.ts';
import { policiesPerHost } from './cluster-stand.ts';

/** Asks how a policy decides about somebody who reads. */
export interface Asking {
  ask(policy: number): Promise<Verdict>;
  close(): void;
}

export async function openAsking(stand: Stand, server: PortcullisProcess): Promise<Asking> {
  const token = await stand.mintToken('alice');
  const connection = await openCallConnection(server.address, encodeCallHeaders(checkPath, 'portcullis.bench'));
  return {
    ask: (policy) => {
      const host = hostName(Math.floor(policy / policiesPerHost));
      const message = encodeCheckMessage({ host, path: policyPath(policy % policiesPerHost), token });
      return new Promise((resolve) => connection.call(message, (answer) => resolve(verdictOf(answer))));
    },
    close: () => connection.close(),
  };
}
