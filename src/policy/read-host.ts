import { canonicalizeHost } from '../canonical/host.ts';

/** A host pattern in canonical form (`api.example.com`, `*.example.com`, `*`), or why it is none. */
export function readHostPattern(written: string): { readonly pattern: string } | { readonly why: string } {
  if (written === '*') return { pattern: '*' };
  const wildcard = written.startsWith('*.');
  const read = canonicalizeHost(wildcard ? written.slice(2) : written);
  if (read.kind === 'refusal') return { why: `${read.why}; write api.example.com or *.example.com` };
  if (read.port !== undefined) return { why: 'hosts are matched without a port: leave the port out' };
  if (wildcard && (read.host.startsWith('[') || /^[\d.]+$/.test(read.host)))
    return { why: 'an address has nothing below it' };
  return { pattern: wildcard ? `*.${read.host}` : read.host };
}

/** The wildcard patterns that cover the pattern, nearest first, `*` last; the pattern itself is not among them. */
export function widerPatterns(pattern: string): string[] {
  if (pattern === '*') return [];
  const wider: string[] = [];
  let rest = pattern.startsWith('*.') ? pattern.slice(2) : pattern;
  if (!rest.startsWith('[')) {
    for (let dot = rest.indexOf('.'); dot >= 0; dot = rest.indexOf('.')) {
      rest = rest.slice(dot + 1);
      wider.push(`*.${rest}`);
    }
  }
  wider.push('*');
  return wider;
}
