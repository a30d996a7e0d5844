import type { HeaderField } from './header-field.ts';

/** What SETTINGS_HEADER_TABLE_SIZE is where nothing is said of it: we say nothing (RFC 9113 section 6.5.2), bytes. */
export const maxTableBytes = 4096;
/** An entry counts for 32 bytes at least, so more can never be in it. A power of two. */
const slots = 128;

/** The fields that a peer has told once and refers to since (RFC 7541 section 2.3.2). A class: one for each connection, and its state is hidden. */
export class DynamicTable {
  /** A ring, made when there is something to be kept. */
  #ring: (HeaderField | undefined)[] = [];
  #newest = 0;
  #count = 0;
  #bytes = 0;
  #limit = maxTableBytes;
  #version = 0;

  /** Another number whenever an index may mean something else than before. */
  get version(): number {
    return this.#version;
  }

  /** The newest has the index 0; undefined where there is none. */
  get(index: number): HeaderField | undefined {
    return index < this.#count ? this.#ring[(this.#newest - index) & (slots - 1)] : undefined;
  }

  /** Makes room and adds. What is larger than the table empties it (section 4.4). */
  add(field: HeaderField): void {
    this.#version++;
    this.#evictTo(this.#limit - field.size);
    if (field.size > this.#limit) return;
    this.#newest = (this.#newest + 1) & (slots - 1);
    this.#ring[this.#newest] = field;
    this.#count++;
    this.#bytes += field.size;
  }

  /** False where the limit is above what we allow. */
  resize(limit: number): boolean {
    if (limit > maxTableBytes) return false;
    this.#version++;
    this.#limit = limit;
    this.#evictTo(limit);
    return true;
  }

  #evictTo(bytes: number): void {
    while (this.#count > 0 && this.#bytes > bytes) {
      const slot = (this.#newest - this.#count + 1) & (slots - 1);
      this.#bytes -= this.#ring[slot]?.size ?? 0;
      this.#ring[slot] = undefined;
      this.#count--;
    }
  }
}
