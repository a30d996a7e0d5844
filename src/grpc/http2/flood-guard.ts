import { price, purse, rapidResets } from './limits.ts';
import { ConnectionError, errorCode } from './protocol.ts';

/** Counts what costs us and brings nothing. A class: one for each connection, asked for every frame. */
export class FloodGuard {
  #frames: number = purse.most;
  #resets: number = rapidResets.most;
  #refilledAt: number;

  constructor(now: number) {
    this.#refilledAt = now;
  }

  /** Once for each reading of the socket; milliseconds. */
  refill(now: number): void {
    const seconds = (now - this.#refilledAt) / 1000;
    this.#refilledAt = now;
    this.#frames = Math.min(purse.most, this.#frames + seconds * purse.perSecond);
    this.#resets = Math.min(rapidResets.most, this.#resets + seconds * rapidResets.perSecond);
  }

  answered(): void {
    if (this.#frames < purse.most) this.#frames += purse.perAnswer;
    if (this.#resets < rapidResets.most) this.#resets++;
  }

  /** Throws a ConnectionError where there is nothing left. */
  charge(cost: number = price.frame): void {
    this.#frames -= cost;
    if (this.#frames < 0) throw new ConnectionError(errorCode.enhanceYourCalm, 'too many frames that bring no request');
  }

  chargeReset(): void {
    this.#resets--;
    if (this.#resets < 0) throw new ConnectionError(errorCode.enhanceYourCalm, 'too many streams were reset');
  }
}
