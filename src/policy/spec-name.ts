/** `namespace/name`, or `name` for cluster kinds. */
export interface SpecName {
  /** Empty for cluster kinds. */
  readonly namespace: string;
  readonly name: string;
}

/** `Kind namespace/name`, unique among documents. */
export function specKey(spec: { readonly kind: string; readonly namespace: string; readonly name: string }): string {
  return `${spec.kind} ${spec.namespace === '' ? '' : `${spec.namespace}/`}${spec.name}`;
}
