import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';

/** Makes proofs as fast as a load needs them. */
export interface DpopClient {
  readonly jkt: string;
  /** Another proof at every call, for GET of the URI. */
  prove(token: string): string;
}

export function createDpopClient(uri: string): DpopClient {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  const jwk = { crv, kty, x, y };
  const header = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk });
  const [htu = ''] = uri.split('?');
  const hashes = new Map<string, string>();
  const hashOf = (token: string): string => {
    const known = hashes.get(token) ?? createHash('sha256').update(token).digest('base64url');
    hashes.set(token, known);
    return known;
  };
  return {
    jkt: createHash('sha256').update(JSON.stringify(jwk)).digest('base64url'),
    prove(token) {
      const iat = Math.floor(Date.now() / 1000);
      const input = `${header}.${encode({ jti: randomUUID(), htm: 'GET', htu, iat, ath: hashOf(token) })}`;
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${input}.${signature.toString('base64url')}`;
    },
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
