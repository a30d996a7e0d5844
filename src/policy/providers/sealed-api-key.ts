import { sha256Bytes } from '../../std/sha256.ts';

/** The key of a Secret's data that holds an API key as clients present it. Of no Secret is its value kept. */
export const apiKeyField = 'api-key';

/** What is kept of an API key: its SHA-256, or why it cannot be one. */
export type SealedApiKey = { readonly value: Uint8Array } | { readonly why: string };

/** A key that can be guessed is none. */
const minCharacters = 16;
const maxCharacters = 1024;

const refusals = {
  'refused:empty': 'the API key is empty',
  'refused:short': `the API key has less than ${minCharacters} characters`,
  'refused:long': `the API key has more than ${maxCharacters} characters`,
  'refused:form': 'the API key is not of visible ASCII characters alone (a line break at its end?)',
} as const;

const sealForm = /^sha256:([0-9a-f]{64})$/;

/**
 * The text that stands for the key in memory, so that the key itself is forgotten once its Secret was read. What is sealed already stays
 * as it is: a Secret is read more than once.
 */
export function sealApiKey(text: string): string {
  if (sealForm.test(text) || Object.hasOwn(refusals, text)) return text;
  const refusal = judge(text);
  return refusal ?? `sha256:${Buffer.from(sha256Bytes(text)).toString('hex')}`;
}

function judge(text: string): keyof typeof refusals | undefined {
  if (text === '') return 'refused:empty';
  // What no header can carry, or carries in several ways, nobody could present.
  if (!/^[\x21-\x7e]+$/.test(text)) return 'refused:form';
  if (text.length < minCharacters) return 'refused:short';
  return text.length > maxCharacters ? 'refused:long' : undefined;
}

/** Reads what `sealApiKey` made. */
export function readSealedApiKey(sealed: string): SealedApiKey {
  const hex = sealForm.exec(sealed)?.[1];
  if (hex !== undefined) return { value: Buffer.from(hex, 'hex') };
  return { why: Object.entries(refusals).find(([refusal]) => refusal === sealed)?.[1] ?? refusals['refused:form'] };
}
