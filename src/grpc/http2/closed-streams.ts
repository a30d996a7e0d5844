import { rememberedClosed, rememberedResets } from './limits.ts';

/**
 * The streams that were closed last (RFC 9113 section 5.1): what comes for one that we have reset was on its way, what comes for another is a mistake.
 * A class: one for each connection, told of every stream.
 */
export class ClosedStreams {
  readonly #closed = new Ring(rememberedClosed);
  readonly #reset = new Ring(rememberedResets);

  add(id: number, wasResetByUs: boolean): void {
    (wasResetByUs ? this.#reset : this.#closed).add(id);
  }

  wasClosed(id: number): boolean {
    return this.#closed.has(id);
  }

  wasResetByUs(id: number): boolean {
    return this.#reset.has(id);
  }
}

/** The last ids of many. */
class Ring {
  readonly #size: number;
  /** Made when there is one. */
  #ids: Int32Array | undefined;
  #at = 0;

  constructor(size: number) {
    this.#size = size;
  }

  add(id: number): void {
    this.#ids ??= new Int32Array(this.#size);
    this.#ids[this.#at] = id;
    this.#at = (this.#at + 1) % this.#size;
  }

  has(id: number): boolean {
    return this.#ids?.includes(id) === true;
  }
}
