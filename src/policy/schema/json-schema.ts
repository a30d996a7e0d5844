import type { JsonValue } from '../../core/json.ts';

/**
 * The one source of what documents look like: our parser's structure check, the field reference and the CRDs are made of it. It has the part of
 * JSON Schema that structural CRD schemas can say, and words of our own. An object has no fields but its `properties`, unless it is `anyFields`.
 */
export interface Schema {
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  /** One or two sentences for an author, plain text: shape, unit, what it does. */
  readonly description: string;
  /** What absence means, in words; for what no API server may write down in an author's place. */
  readonly absent?: string;
  /** Written into the stored object by the API server: never where an absence matters to security, or is inherited. */
  readonly default?: JsonValue;
  readonly properties?: Readonly<Record<string, Schema>>;
  /** The values of a map whose keys are an author's own. */
  readonly additionalProperties?: Schema;
  /** An object that holds any JSON. */
  readonly anyFields?: true;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  /** Something in it can restrict: the API server keeps its unknown fields, so that the parser finds a misspelt one (S2). */
  readonly keepsUnknown?: true;
  /** No value twice, as the structure check holds it. */
  readonly uniqueItems?: true;
  /** No value twice, as the reader of the field holds it, in the form that it compares. */
  readonly isSet?: true;
  /** No two elements with the same value of this field; held by the reader. */
  readonly uniqueBy?: string;
  /** A reference: server-side apply takes it as one value. */
  readonly isAtomic?: true;
  /** What fields ask of each other, in the CEL of Kubernetes. The parser refuses the same by itself. */
  readonly validations?: readonly Validation[];
  /** The contract has it and this version does not build it: it is refused by name whatever stands in it, never ignored. */
  readonly unsupported?: true;
  readonly unsupportedValues?: readonly string[];
}

export interface Validation {
  readonly rule: string;
  /** What must hold, as a sentence without its end. */
  readonly message: string;
}

type Properties = Readonly<Record<string, Schema>>;
type Extra = Partial<Schema>;

/** An object in which nothing restricts, or every field is required. */
export function object(description: string, properties: Properties, extra: Extra = {}): Schema {
  return { type: 'object', description, properties, ...extra };
}

/** An object with a field that can restrict (S2). */
export function guard(description: string, properties: Properties, extra: Extra = {}): Schema {
  return { type: 'object', description, properties, keepsUnknown: true, ...extra };
}

/** An object of which an empty one would restrict nothing (S1). */
export function restriction(description: string, properties: Properties, extra: Extra = {}): Schema {
  // Where a field is required, its absence says more than that the object is empty.
  return guard(description, properties, extra.required === undefined ? { minProperties: 1, ...extra } : extra);
}

export function list(description: string, items: Schema, maxItems: number, extra: Extra = {}): Schema {
  return { type: 'array', description, items, minItems: 1, maxItems, ...extra };
}

export function text(description: string, maxLength: number, extra: Extra = {}): Schema {
  return { type: 'string', description, minLength: 1, maxLength, ...extra };
}

export function oneOf(description: string, values: readonly string[], extra: Extra = {}): Schema {
  return { type: 'string', description, enum: [...values, ...(extra.unsupportedValues ?? [])], ...extra };
}

/** The same values, as the elements of a list that says what they are. */
export function oneOfThese(values: readonly string[]): Schema {
  return oneOf('One of the values.', values);
}

export function integer(description: string, minimum: number, maximum: number, extra: Extra = {}): Schema {
  return { type: 'integer', description, minimum, maximum, ...extra };
}

export function flag(description: string, extra: Extra = {}): Schema {
  return { type: 'boolean', description, ...extra };
}

/** As it stands in `iss`; without control characters, which no list of revocations could name. */
export function issuer(description: string, extra: Extra = {}): Schema {
  return text(description, 2048, { pattern: String.raw`^[^\x00-\x1F\x7F-\x9F]+$`, ...extra });
}

/** GEP-2257, as far as a pattern can say it; `parseDuration` knows the order of the units too. */
export function duration(description: string, extra: Extra = {}): Schema {
  return text(description, 32, { pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$', ...extra });
}

/** RFC 1123 label or subdomain: how Kubernetes names things. */
export function objectName(description: string, extra: Extra = {}): Schema {
  return text(description, 253, { pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', ...extra });
}

/** A field of the contract that this version refuses by name. */
export function unsupported(schema: Schema): Schema {
  return { ...schema, unsupported: true };
}

/** Holds where exactly one of the fields is there. */
export function exactlyOne(fields: readonly string[], message: string): Validation {
  return { rule: `[${present(fields)}].exists_one(x, x)`, message };
}

/** Holds where none or one of the fields is there. */
export function atMostOne(fields: readonly string[], message: string): Validation {
  return { rule: `[${present(fields)}].filter(x, x).size() <= 1`, message };
}

function present(fields: readonly string[]): string {
  return fields.map((field) => `has(self.${celName(field)})`).join(', ');
}

/** A field as the CEL of Kubernetes names it: words of the language are escaped. Those that the contract uses. */
function celName(field: string): string {
  return field === 'in' ? '__in__' : field;
}
