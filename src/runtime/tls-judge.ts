import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { codeOf } from '../std/listen.ts';
import { contextOptions, type TlsIdentity, type TlsVersion } from '../std/tls-acceptor.ts';
import type { TlsTexts } from './tls-files.ts';

/** Whether what the files hold can be served with. */
export type TlsJudgement =
  | {
      readonly kind: 'good';
      readonly identity: TlsIdentity;
      /** SHA-256 of the server's certificate, as `openssl x509 -fingerprint -sha256` prints it. */
      readonly fingerprint: string;
      /** When the server's certificate ends, milliseconds since the epoch. */
      readonly endsAt: number;
      /** When the next of the clients' issuers ends that has not yet; undefined where clients are not asked. */
      readonly clientCaEndsAt: number | undefined;
    }
  /** `why` is a clause about a file, without a word of what it holds. */
  | { readonly kind: 'bad'; readonly file: keyof TlsTexts; readonly why: string };

/** Pure: takes no pair that clients would refuse at this time (milliseconds since the epoch), or whose parts do not belong together. */
export function judgeTls(texts: TlsTexts, minVersion: TlsVersion, now: number): TlsJudgement {
  const chain = certificatesIn(texts.certificate);
  const [leaf] = chain ?? [];
  if (leaf === undefined) return bad('certificate', 'holds no certificate in PEM, or one that cannot be read');
  const key = privateKeyIn(texts.key);
  if (key === undefined) return bad('key', 'holds no private key in PEM, or one with a passphrase');
  if (!leaf.checkPrivateKey(key)) {
    return bad('key', 'is not the key of the first certificate: the pair is half rotated, or of two different pairs');
  }
  if (leaf.validToDate.getTime() <= now) return bad('certificate', `has expired on ${isoDate(leaf.validToDate)}`);
  if (leaf.validFromDate.getTime() > now)
    return bad('certificate', `is not valid before ${isoDate(leaf.validFromDate)}`);
  const clientCas = texts.clientCa === undefined ? undefined : certificatesIn(texts.clientCa);
  const clientCaEnds = (clientCas ?? []).map((ca) => ca.validToDate.getTime()).filter((end) => end > now);
  if (texts.clientCa !== undefined && clientCas === undefined) {
    return bad('clientCa', 'holds no certificate in PEM, or one that cannot be read');
  }
  if (clientCas !== undefined && clientCaEnds.length === 0)
    return bad('clientCa', 'holds only certificates that have expired');
  const identity: TlsIdentity = {
    certificate: texts.certificate,
    key: texts.key,
    clientCas: clientCas?.map((ca) => ca.toString()),
  };
  const refusal = trial(identity, minVersion);
  if (refusal !== undefined) return bad('certificate', `or its key is refused by OpenSSL (${refusal})`);
  return {
    kind: 'good',
    identity,
    fingerprint: leaf.fingerprint256,
    endsAt: leaf.validToDate.getTime(),
    clientCaEndsAt: clientCas === undefined ? undefined : Math.min(...clientCaEnds),
  };
}

function bad(file: keyof TlsTexts, why: string): TlsJudgement {
  return { kind: 'bad', file, why };
}

/** Every certificate of the text in its order; undefined where there is none or one cannot be read. */
function certificatesIn(text: string): readonly X509Certificate[] | undefined {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  const begun = text.match(/-----BEGIN CERTIFICATE-----/g);
  // One that is cut off has no end.
  if (blocks === null || blocks.length !== begun?.length) return undefined;
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function privateKeyIn(text: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: text, format: 'pem' });
  } catch {
    return undefined;
  }
}

/** The code of OpenSSL's refusal: a key too small for its security level, say; undefined where it takes the identity. */
function trial(identity: TlsIdentity, minVersion: TlsVersion): string | undefined {
  try {
    createSecureContext(contextOptions(identity, minVersion));
    return undefined;
  } catch (error) {
    return codeOf(error) || 'unknown error';
  }
}

function isoDate(date: Date): string {
  return date.toISOString();
}
