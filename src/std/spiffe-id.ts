/** A SPIFFE id with a path (SPIFFE-ID section 2). */
export interface SpiffeId {
  readonly trustDomain: string;
  /** Behind the trust domain, at least one; none is empty or `.` or `..`. */
  readonly segments: readonly string[];
}

const form = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)+)$/;

/** Reads an id as SPIFFE spells it: undefined for another spelling of the same (upper case, percent, a slash at the end), and for one without a path. */
export function parseSpiffeId(text: string): SpiffeId | undefined {
  const parts = text.length > 2048 ? null : form.exec(text);
  if (parts === null) return undefined;
  const [, trustDomain = '', path = ''] = parts;
  const segments = path.slice(1).split('/');
  return segments.includes('.') || segments.includes('..') ? undefined : { trustDomain, segments };
}
