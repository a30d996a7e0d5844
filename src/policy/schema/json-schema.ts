/**
 * The part of JSON Schema that structural CRD schemas can say, and two keywords of our own:
 * `unsupported` and `unsupportedValues` mark what the contract has and this version does not build; it is refused by name, never ignored.
 */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: false | Schema;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly enum?: readonly string[];
  readonly unsupported?: true;
  readonly unsupportedValues?: readonly string[];
}

export function object(properties: Readonly<Record<string, Schema>>, extra: Schema = {}): Schema {
  return { type: 'object', properties, additionalProperties: false, ...extra };
}

/** An object of which an empty one would restrict nothing (S1). */
export function restriction(properties: Readonly<Record<string, Schema>>, extra: Schema = {}): Schema {
  return object(properties, { minProperties: 1, ...extra });
}

export function list(items: Schema, maxItems: number, extra: Schema = {}): Schema {
  return { type: 'array', items, minItems: 1, maxItems, ...extra };
}

export function text(maxLength: number, extra: Schema = {}): Schema {
  return { type: 'string', minLength: 1, maxLength, ...extra };
}

export function oneOf(values: readonly string[], unsupportedValues: readonly string[] = []): Schema {
  return unsupportedValues.length === 0
    ? { type: 'string', enum: values }
    : { type: 'string', enum: [...values, ...unsupportedValues], unsupportedValues };
}

export function integer(minimum: number, maximum: number): Schema {
  return { type: 'integer', minimum, maximum };
}

/** A field of the contract that this version refuses by name. */
export const unsupported: Schema = { unsupported: true };

/** RFC 1123 label or subdomain: how Kubernetes names things. */
export const objectName: Schema = text(253, { pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' });
export const duration: Schema = text(32, { pattern: '^([0-9]+(ms|s|m|h))+$' });
