import { rememberedStreams } from './limits.ts';

/**
 * The streams that were closed last (RFC 9113 section 5.1): what comes for one that we have reset was on its way, what comes for another is a mistake.
 * A class: one for each connection, told of every stream.
 */
export class ClosedStreams {
  /** A ring: the id of a stream, or minus the id where it was reset by us. Made when there is one. */
  #ring: Int32Array | undefined;
  #at = 0;

  add(id: number, wasResetByUs: boolean): void {
    this.#ring ??= new Int32Array(rememberedStreams);
    this.#ring[this.#at] = wasResetByUs ? -id : id;
    this.#at = (this.#at + 1) % rememberedStreams;
  }

  wasClosed(id: number): boolean {
    return this.#ring?.includes(id) === true;
  }

  wasResetByUs(id: number): boolean {
    return this.#ring?.includes(-id) === true;
  }
}
