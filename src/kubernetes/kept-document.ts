import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Place, Problem } from '../core/problem.ts';
import type { AuthorDocument } from '../policy/spec.ts';

export type KeptDocumentParts = Pick<KeptDocument, 'source' | 'problems' | 'version'> & {
  /** Absent for documents of ours. */
  readonly reference?: string | undefined;
  readonly refusal?: string;
  readonly value: JsonObject;
  /** The JSON of the value. */
  readonly text: string;
};

/**
 * A document whose value is kept as text, which takes a fifth of the memory, and made again where somebody asks for it later. A class, since
 * there are ten thousand of them: an object with a getter and a closure of its own takes ten times as much.
 */
export class KeptDocument implements AuthorDocument {
  readonly source: string;
  readonly problems: readonly Problem[];
  readonly version: NonNullable<AuthorDocument['version']>;
  readonly reference?: string;
  readonly refusal?: string;
  readonly text: string;
  #value: WeakRef<JsonObject>;

  constructor({ value, text, source, problems, version, reference, refusal }: KeptDocumentParts) {
    this.source = source;
    this.problems = problems;
    this.version = version;
    if (reference !== undefined) this.reference = reference;
    if (refusal !== undefined) this.refusal = refusal;
    this.text = text;
    this.#value = new WeakRef(value);
  }

  get value(): JsonValue {
    const known = this.#value.deref();
    if (known !== undefined) return known;
    const made: unknown = JSON.parse(this.text);
    if (!isJsonObject(made)) return null;
    this.#value = new WeakRef(made);
    return made;
  }

  placeOf(): Place {
    return { source: this.source, line: undefined, column: undefined };
  }
}
