import type { PeerWork } from '../grpc/transport.ts';

/**
 * Decisions that wait for somebody else (an issuer, a store) and what they keep of their messages. They live on when their check was answered for want of time, and
 * when its connection is gone: no bound on calls or connections counts them then.
 */
export interface DecisionLimits {
  readonly decisions: number;
  readonly bytes: number;
}

/** What a decision keeps beside its message, bytes: measured 4 KB. */
const ownBytes = 4096;

/** Of all together. Above, a check that would wait is denied at once; above twice as much nothing more is asked. */
const inAll = { decisions: 8192, bytes: 128 * 1024 * 1024, messages: 16 } as const;
/** Of one connection, the same: as many as it may have calls at once, and twice as many. */
const perPeer = { full: 4096, over: 8192 } as const;
/** A connection that has less is served on, however much the others have. */
const share = { decisions: 128, bytes: 1024 * 1024 } as const;

/** `free`: a check may wait; `full`: it is asked, and must be decided at once; `over`: not even that. */
export type Room = 'free' | 'full' | 'over';

/** A class: it is asked at every check, and its sums are hidden state. */
export class DecisionLoad {
  readonly #most: DecisionLimits;
  #decisions = 0;
  #bytes = 0;

  /** `maxMessageBytes`: the longest message that comes. */
  constructor(maxMessageBytes: number) {
    this.#most = {
      decisions: inAll.decisions,
      bytes: Math.max(inAll.bytes, inAll.messages * maxMessageBytes),
    };
  }

  /** For one more check of that connection; undefined where connections are not told apart. */
  roomFor(peer: PeerWork | undefined): Room {
    if (peer !== undefined) {
      if (peer.count >= perPeer.full) return peer.count >= perPeer.over ? 'over' : 'full';
      if (peer.count < share.decisions && peer.bytes < share.bytes) return 'free';
    }
    const { decisions, bytes } = this.#most;
    if (this.#decisions < decisions && this.#bytes < bytes) return 'free';
    return this.#decisions < 2 * decisions && this.#bytes < 2 * bytes ? 'full' : 'over';
  }

  add(peer: PeerWork | undefined, decisions: number, bytes: number): void {
    this.#decisions += decisions;
    this.#bytes += bytes;
    if (peer === undefined) return;
    peer.count += decisions;
    peer.bytes += bytes;
  }
}

/** What a request keeps of the message that it was read from. */
export interface HeldMessage {
  /** How much of it has been made into texts, or may have been. */
  readonly textBytes: number;
  /** Lets go of it. Who asks for a header from now on finds none, and nothing throws. */
  release(): void;
}

/** One decision that waits, from when it does until it is there. A class: two methods of one, and its sums are hidden state. */
export class HeldDecision {
  readonly #load: DecisionLoad;
  readonly #peer: PeerWork | undefined;
  #message: HeldMessage | undefined;
  #bytes: number;

  constructor(load: DecisionLoad, peer: PeerWork | undefined, message: HeldMessage | undefined, messageBytes: number) {
    this.#load = load;
    this.#peer = peer;
    this.#message = message;
    this.#bytes = ownBytes + messageBytes;
    load.add(peer, 1, this.#bytes);
  }

  /** Nobody waits for it any more: it goes on, and keeps of its message no more than the texts that were made of it. */
  letGo(): void {
    if (this.#message === undefined) return;
    const kept = Math.min(this.#bytes, ownBytes + this.#message.textBytes);
    this.#message.release();
    this.#message = undefined;
    this.#load.add(this.#peer, 0, kept - this.#bytes);
    this.#bytes = kept;
  }

  /** It is there. Comes once. */
  end(): void {
    this.#message = undefined;
    this.#load.add(this.#peer, -1, -this.#bytes);
  }
}
