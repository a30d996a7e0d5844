/** A time as Leases and Events have it: RFC 3339 with microseconds (Kubernetes API, MicroTime). */
export function toMicroTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}

/** A time as conditions have it: RFC 3339 with seconds (Kubernetes API, Time). */
export function toTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
