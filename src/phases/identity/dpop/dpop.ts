import { denial, type Denial, type HeaderEntry } from '../../../core/decision.ts';
import { Failure } from '../../../core/failure.ts';
import type { Clock, Logger, ReplayStore } from '../../../core/ports.ts';
import type { Request } from '../../../core/request.ts';
import { thrownFields } from '../../../core/thrown-fields.ts';
import type { DpopNonceRule } from '../../../policy/provider-spec.ts';
import { isSameSecret } from '../../../std/same-secret.ts';
import { sha256Base64url } from '../../../std/sha256.ts';
import { createDpopNonces, type DpopNonces } from './dpop-nonces.ts';
import { parseProof, type Proof } from './parse-proof.ts';
import { createProofKeys, type ProofKeys } from './proof-keys.ts';
import { createProofUses, type ProofUses } from './proof-uses.ts';
import { isTargetOf } from './target-uri.ts';

/** Judges DPoP proofs (RFC 9449) for all providers of the process. */
export interface Dpop {
  /** Refuses the request whose sender does not prove to hold the key that the token is bound to. Never rejects. */
  prove(question: ProofQuestion): Denial | undefined | Promise<Denial | undefined>;
  /** What the answer to a request carries whose proof was good: a fresh nonce, where that of the proof is about to end. */
  headersFor(request: Request): readonly HeaderEntry[];
}

export interface ProofQuestion {
  readonly request: Request;
  /** The access token as it was presented. */
  readonly token: string;
  /** `cnf.jkt` of the token. */
  readonly jkt: string;
  readonly nonce: DpopNonceRule;
  /** Looks without using the proof up, and does not ask whether it was used before. */
  readonly isShadow: boolean;
}

export interface DpopPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly replays: ReplayStore;
  /** What nonces are made with: at least 128 bits. */
  readonly nonceKey: Uint8Array | string;
}

/** A proof may be so old, and so far ahead of our clock, in seconds (RFC 9449 11.1). */
const maxAgeSeconds = 300;
const maxAheadSeconds = 60;
/** Uses are remembered for longer than a proof can be accepted by so much: clocks of replicas differ, and are set back. */
const rememberedLongerMs = 60_000;

const noHeaders: readonly HeaderEntry[] = Object.freeze([]);

interface Parts extends DpopPorts {
  readonly nonces: DpopNonces;
  readonly keys: ProofKeys;
  readonly uses: ProofUses;
  /** The requests whose proof holds a nonce that is about to end. */
  readonly ofOldNonce: WeakSet<Request>;
}

export function createDpop(ports: DpopPorts): Dpop {
  const parts: Parts = {
    ...ports,
    nonces: createDpopNonces(ports.nonceKey, ports.clock),
    keys: createProofKeys(),
    uses: createProofUses(ports.replays),
    ofOldNonce: new WeakSet(),
  };
  const failed = createFailureTeller(ports);
  return {
    prove(question) {
      const read = readProof(question.request);
      if ('denial' in read) return read.denial;
      for (const judge of judges) {
        const objection = judge(read.proof, question, parts);
        if (objection !== undefined) return objection;
      }
      return finish(read.proof, question, parts).catch(failed);
    },
    headersFor: (request) => (parts.ofOldNonce.has(request) ? [nonceHeader(parts.nonces)] : noHeaders),
  };
}

/** Check 1 of RFC 9449 4.3, and those of its form. */
function readProof({ headers }: Request): { readonly proof: Proof } | { readonly denial: Denial } {
  const text = headers.get('dpop');
  if (text === undefined) return { denial: bad('is missing') };
  // Several fields are joined with a comma, by us or by the proxy.
  if (text.includes(',')) return { denial: bad('is there twice') };
  if (!headers.isText('dpop')) return { denial: bad('is not text') };
  const parsed = parseProof(text);
  return 'why' in parsed ? { denial: bad(parsed.why) } : parsed;
}

type ProofJudge = (proof: Proof, question: ProofQuestion, parts: Parts) => Denial | undefined;

/** What needs no cryptography; the key comes first, so that only that of the token is ever worked with. */
const judges: readonly ProofJudge[] = [judgeKey, judgeTarget, judgeToken, judgeTimes, judgeNonce];

/** Check 12b. */
function judgeKey(proof: Proof, { jkt }: ProofQuestion): Denial | undefined {
  return isSameSecret(proof.jkt, jkt)
    ? undefined
    : denial('token_binding', 'The token is bound to another key than that of the DPoP proof.');
}

/** Checks 8 and 9. */
function judgeTarget(proof: Proof, { request }: ProofQuestion): Denial | undefined {
  if (proof.htm !== request.method) return bad('is for another method');
  return isTargetOf(proof.htu, request) ? undefined : bad('is for another URI');
}

/** Check 12a. */
function judgeToken(proof: Proof, { token }: ProofQuestion): Denial | undefined {
  return isSameSecret(proof.ath, sha256Base64url(token)) ? undefined : bad('is for another token');
}

/** Check 11. */
function judgeTimes({ iat, exp, nbf }: Proof, _question: ProofQuestion, { clock }: Parts): Denial | undefined {
  const now = clock.now() / 1000;
  if (now - iat > maxAgeSeconds || (exp !== undefined && now >= exp + maxAheadSeconds)) return bad('is too old');
  const isAhead = iat - now > maxAheadSeconds || (nbf !== undefined && nbf - now > maxAheadSeconds);
  return isAhead ? bad('is of the future') : undefined;
}

/** Check 10: any nonce is looked at only where one is asked for. */
function judgeNonce({ nonce }: Proof, question: ProofQuestion, { nonces }: Parts): Denial | undefined {
  if (question.nonce === 'Never') return undefined;
  if (nonce !== undefined && nonces.judge(nonce) !== 'refused') return undefined;
  return { ...denial('dpop_nonce'), headers: [nonceHeader(nonces)] };
}

/** Check 6, and then whether it was used before: what is not well signed uses nothing up. */
async function finish(proof: Proof, question: ProofQuestion, parts: Parts): Promise<Denial | undefined> {
  if (!(await parts.keys.verify(proof))) return bad('is not signed with its key');
  if (!question.isShadow) {
    const acceptableMs = (proof.iat + maxAgeSeconds) * 1000 - parts.clock.now();
    const ttlMs = Math.ceil(Math.max(acceptableMs, 0) + rememberedLongerMs);
    if (!(await parts.uses.use(question.request, proof, ttlMs))) return denial('dpop_replayed');
  }
  const isOld = question.nonce === 'Required' && parts.nonces.judge(proof.nonce ?? '') === 'old';
  if (isOld && !question.isShadow) parts.ofOldNonce.add(question.request);
  return undefined;
}

function nonceHeader(nonces: DpopNonces): HeaderEntry {
  return ['dpop-nonce', nonces.current()];
}

function bad(why: string): Denial {
  return denial('dpop_proof', `The DPoP proof ${why}.`);
}

/** A store that is full or away fails for every request: the log is told of it now and then. */
const toldEveryMs = 10_000;

function createFailureTeller({ clock, logger }: DpopPorts): (error: unknown) => Denial {
  let told: number | undefined;
  return (error) => {
    const now = clock.monotonic();
    if (told === undefined || now - told >= toldEveryMs) {
      told = now;
      logger.error(thrownFields(error), 'DPoP proofs cannot be judged, and their requests are denied');
    }
    const isStore = error instanceof Failure && error.code === 'store_unavailable';
    return denial(isStore ? 'store_unavailable' : 'internal_error');
  };
}
