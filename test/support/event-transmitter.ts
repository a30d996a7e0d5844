import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';

/** A transmitter of security events (Shared Signals Framework 1.0): signs SETs (RFC 8417) and pushes them (RFC 8935), with retries. */
export interface EventTransmitter {
  readonly issuer: string;
  /** The JSON text of its key set. */
  readonly jwks: string;
  /** A SET with one event; claims given here take the place of its own, `undefined` takes one away. */
  sign(type: string, event: object, options?: SetOptions): Promise<string>;
  /** Pushes until it is taken or refused; a receiver that cannot take it now (429, 5xx, no answer) is asked again. */
  push(url: string, set: string, options?: PushOptions): Promise<PushResult>;
}

export interface SetOptions {
  readonly subject?: object | undefined;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

export interface PushOptions {
  readonly authorization?: string;
  readonly contentType?: string;
  readonly attempts?: number;
}

export interface PushResult {
  readonly status: number;
  readonly body: string;
  readonly attempts: number;
}

export const caep = (type: string): string => `https://schemas.openid.net/secevent/caep/event-type/${type}`;
export const risc = (type: string): string => `https://schemas.openid.net/secevent/risc/event-type/${type}`;
export const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification';

let ids = 0;

export async function createEventTransmitter(issuer: string, audience: string): Promise<EventTransmitter> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'transmitter', alg: 'ES256', use: 'sig' };
  return {
    issuer,
    jwks: JSON.stringify({ keys: [jwk] }),
    sign: (type, event, { subject, claims = {}, header = {} } = {}) => {
      const iat = Math.floor(Date.now() / 1000);
      const whole = {
        iss: issuer,
        aud: audience,
        iat,
        jti: `set-${++ids}`,
        sub_id: subject,
        events: { [type]: event },
      };
      const payload = Object.fromEntries(
        Object.entries({ ...whole, ...claims }).filter(([, value]) => value !== undefined),
      );
      return new SignJWT(payload)
        .setProtectedHeader({ alg: 'ES256', kid: 'transmitter', typ: 'secevent+jwt', ...header })
        .sign(privateKey);
    },
    push: async (url, set, { authorization, contentType = 'application/secevent+jwt', attempts = 5 } = {}) => {
      const headers = {
        'content-type': contentType,
        accept: 'application/json',
        ...(authorization && { authorization }),
      };
      for (let attempt = 1; ; attempt++) {
        const answer = await postText(url, headers, set).catch(() => undefined);
        const isLate = answer === undefined || answer.status === 429 || answer.status >= 500;
        if (answer !== undefined && (!isLate || attempt === attempts)) return { ...answer, attempts: attempt };
        if (attempt === attempts) throw new Error(`${url} does not answer`);
        await sleep(50 * 2 ** attempt);
      }
    },
  };
}

/** POSTs a text over HTTP. */
export function postText(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<{ readonly status: number; readonly body: string; readonly headers: NodeJS.Dict<string | string[]> }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text, headers: answer.headers }));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
