import { createHash, randomUUID } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';

/** A client of its own making: nothing of ours signs its proofs (RFC 9449). */
export interface DpopClient {
  readonly jwk: JWK;
  /** The thumbprint of its key (RFC 7638). */
  readonly jkt: string;
  /** A new proof for GET of its URI with the token; claims given here take the place of its own, `undefined` takes one away. */
  prove(token: string, changes?: object): Promise<string>;
  /** A new proof for a request to the token endpoint, where there is no token yet. */
  proveTokenRequest(tokenEndpoint: string): Promise<string>;
}

export async function createDpopClient(uri: string): Promise<DpopClient> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  const sign = (claims: object): Promise<string> => {
    const whole = { jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims };
    return new SignJWT(whole).setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk }).sign(privateKey);
  };
  return {
    jwk,
    jkt: await calculateJwkThumbprint(jwk),
    prove(token, changes = {}) {
      const ath = createHash('sha256').update(token).digest('base64url');
      return sign({ htm: 'GET', htu: uri, ath, ...changes });
    },
    proveTokenRequest: (tokenEndpoint) => sign({ htm: 'POST', htu: tokenEndpoint }),
  };
}
