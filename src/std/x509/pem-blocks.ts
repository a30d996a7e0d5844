/** Nothing in it can be matched in two ways, so that its time is linear. */
const block = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----/g;
/** What begins or ends a block, also where its dashes are damaged. */
const begin = /--[ \t]{0,4}BEGIN/gi;
const end = /--[ \t]{0,4}END/gi;

/** What may stand in a file of authorities or of revocation lists; other labels (`TRUSTED CERTIFICATE`, a key) are not read. */
const knownLabels: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CRL']);

export interface PemBlocks {
  /** The DER of every block of the label that was asked for, in their order. */
  readonly blocks: readonly Buffer[];
  /** How many begin or end in the text and cannot be read: damaged, cut off, or of a label that nobody here knows. */
  readonly unreadable: number;
}

/** The blocks of that label in a text (RFC 7468); what stands between blocks is passed over. */
export function readPemBlocks(text: string, label: 'CERTIFICATE' | 'X509 CRL'): PemBlocks {
  const blocks: Buffer[] = [];
  let readable = 0;
  for (const [, name = '', body = ''] of text.matchAll(block)) {
    if (knownLabels.has(name)) readable++;
    if (name === label) blocks.push(Buffer.from(body.replaceAll(/\s/g, ''), 'base64'));
  }
  const all = Math.max(countOf(begin, text), countOf(end, text));
  return { blocks, unreadable: Math.max(0, all - readable) };
}

/** In words, for whoever wrote the text. */
export function describeUnreadable(count: number): string {
  return count === 1
    ? 'a PEM block is damaged or of another kind'
    : `${count} PEM blocks are damaged or of another kind`;
}

function countOf(pattern: RegExp, text: string): number {
  let count = 0;
  for (const _ of text.matchAll(pattern)) count++;
  return count;
}
