import type { Headers, RawHeaders } from '../core/request.ts';

/** Header fields by name: duplicates joined with a comma in the order received, and counted. What is asked for is looked for and read once. */
export function readHeaders(raw: RawHeaders): Headers {
  return new ReadHeaders(raw);
}

/** A class for its speed: every request has one, and its closures would be made anew for each. */
class ReadHeaders implements Headers {
  readonly #raw: RawHeaders;
  readonly #fields = new Map<string, Field>();

  constructor(raw: RawHeaders) {
    this.#raw = raw;
  }

  get(name: string): string | undefined {
    const field = this.#field(name);
    return field.places.length === 0 ? undefined : (field.value ??= this.#join(field));
  }

  count(name: string): number {
    return this.#field(name).places.length;
  }

  isText(name: string): boolean {
    const field = this.#field(name);
    return (field.isText ??= field.places.every((place) => this.#raw.isTextAt(place)));
  }

  names(): ReadonlySet<string> {
    return new Set(Array.from(this.#raw, ({ name }) => name));
  }

  get underscored(): readonly string[] {
    return this.#raw.underscored;
  }

  get isLetGo(): boolean {
    return this.#raw.isLetGo === true;
  }

  #field(name: string): Field {
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const field = this.#look(name);
    this.#fields.set(name, field);
    return field;
  }

  #look(name: string): Field {
    const first = this.#raw.find(name, 0);
    if (first < 0) return absent;
    const places = [first];
    for (let at = this.#raw.find(name, first + 1); at >= 0; at = this.#raw.find(name, at + 1)) places.push(at);
    return { places, value: undefined, isText: undefined };
  }

  #join({ places }: Field): string {
    const [only = 0, ...others] = places;
    let value = this.#raw.valueAt(only);
    for (const place of others) value += `,${this.#raw.valueAt(place)}`;
    return value;
  }
}

/** All fields of a name. */
interface Field {
  readonly places: readonly number[];
  /** Undefined until somebody asks. */
  value: string | undefined;
  isText: boolean | undefined;
}

const absent: Field = { places: [], value: undefined, isText: true };
