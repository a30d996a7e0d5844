/** Nothing in it can be matched in two ways, so that its time is linear. */
const block = /-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----/g;

/** The DER of every block of that label in a text (RFC 7468), in their order; what stands between blocks, and others, is passed over. */
export function readPemBlocks(text: string, label: string): readonly Buffer[] {
  const found: Buffer[] = [];
  for (const [, name, body = ''] of text.matchAll(block)) {
    if (name === label) found.push(Buffer.from(body.replaceAll(/\s/g, ''), 'base64'));
  }
  return found;
}
