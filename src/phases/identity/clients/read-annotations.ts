import { parseTimestamp } from '../../../expressions/functions/time-text.ts';
import { Fault } from '../../../expressions/values/fault.ts';
import { clientAnnotations as known, ownAnnotations } from '../../../policy/client-annotations.ts';
import type { Material } from '../../../policy/read-material.ts';

/** What the annotations of a client's Secret say of it. */
export interface ClientAnnotations {
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** Seconds since the epoch; undefined: it does not end. */
  readonly expiresAt: number | undefined;
}

/** Something that is read of a Secret, or why the Secret is refused: words without anything of its data. */
export type ReadSecret<T> = { readonly value: T } | { readonly why: string };

/** Controls, and what ends a line. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/**
 * Reads `portcullis.dev/client-id`, `scopes`, `roles` (lists with spaces or commas between) and `expires` (RFC 3339). One of ours that is
 * misspelt refuses the Secret: it may have been its end (S2).
 */
export function readAnnotations({ annotations, data, refused }: Material): ReadSecret<ClientAnnotations> {
  if (refused !== undefined) return { why: refused };
  const misplaced = known.find((name) => data.has(name));
  if (misplaced !== undefined)
    return {
      why: `${misplaced} stands in its data, where nobody reads it: write the annotation ${ownAnnotations}${misplaced}`,
    };
  const isKnown = (name: string): boolean => known.some((own) => name === ownAnnotations + own);
  const strange = [...annotations.keys()].find((name) => !isKnown(name));
  if (strange !== undefined)
    return { why: `there is no annotation ${strange}: ${known.map((name) => ownAnnotations + name).join(', ')}` };
  const textOf = (name: string): string | undefined => annotations.get(`${ownAnnotations}${name}`);
  const clientId = textOf('client-id');
  if (clientId !== undefined && !isClientName(clientId))
    return { why: 'its annotation client-id is empty, longer than 253 characters or not printable' };
  const scopes = readList(textOf('scopes'));
  const roles = readList(textOf('roles'));
  if (scopes === undefined || roles === undefined)
    return { why: `its annotation ${scopes === undefined ? 'scopes' : 'roles'} has a control character` };
  const expires = textOf('expires');
  const expiresAt = expires === undefined ? undefined : readEnd(expires);
  if (expires !== undefined && expiresAt === undefined)
    return { why: 'its annotation expires is no time of RFC 3339 such as 2027-01-31T00:00:00Z' };
  return { value: { clientId, scopes, roles, expiresAt } };
}

/** Whether the text can stand for somebody in logs and headers. */
export function isClientName(text: string): boolean {
  return text !== '' && text.length <= 253 && text.trim() === text && !unprintable.test(text);
}

function readList(text: string | undefined): readonly string[] | undefined {
  const entries = (text ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  return entries.some((entry) => unprintable.test(entry)) ? undefined : Object.freeze([...new Set(entries)]);
}

function readEnd(text: string): number | undefined {
  const time = parseTimestamp(text);
  return time instanceof Fault ? undefined : Number(time.nanos / 1_000_000n) / 1000;
}
