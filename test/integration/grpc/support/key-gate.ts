import type { ServerResponse } from 'node:http';
import { startLoopbackServer } from '../../../../src/dev/loopback-server.ts';

/** The keys of an issuer behind a gate: while it is shut nobody is answered, so that all checks wait that need newer keys. */
export interface KeyGate {
  /** For `jwks.uri` of a provider. */
  readonly uri: string;
  shut(): void;
  open(): void;
  close(): Promise<void>;
}

/** `jwksUri` is where the issuer itself has them. It is open at first. */
export async function startKeyGate(jwksUri: string): Promise<KeyGate> {
  let isOpen = true;
  const waiting: ServerResponse[] = [];
  const answers: Promise<void>[] = [];
  const send = async (response: ServerResponse): Promise<void> => {
    const keys = await (await fetch(jwksUri)).text();
    response.writeHead(200, { 'content-type': 'application/json' }).end(keys);
  };
  const answer = (response: ServerResponse): void => void answers.push(send(response));
  const server = await startLoopbackServer(0, (_request, response) => {
    if (isOpen) answer(response);
    else waiting.push(response);
  });
  return {
    uri: `http://127.0.0.1:${server.port}/jwks`,
    shut() {
      isOpen = false;
    },
    open() {
      isOpen = true;
      for (const response of waiting.splice(0)) answer(response);
    },
    async close() {
      await Promise.all(answers);
      await server.close();
    },
  };
}
