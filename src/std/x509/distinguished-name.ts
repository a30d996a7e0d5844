import { DerError, type DerReader, readOid, tags } from './der.ts';

const shortNames: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'street'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
]);

/**
 * A Name as RFC 2253 writes it, the last part first: `CN=web,OU=shop,O=Acme`. What is no text, or no attribute of a known name, stands in
 * hex. Throws a DerError for what is no Name, and for one with a control character or U+FFFD: no name that is compared may hold one.
 */
export function formatName(name: DerReader): string {
  const parts: string[] = [];
  while (!name.isAtEnd) {
    const set = name.into(tags.set);
    const attributes: string[] = [];
    while (!set.isAtEnd) attributes.push(formatAttribute(set.into(tags.sequence)));
    if (attributes.length === 0) throw new DerError('a part of a name is empty');
    parts.push(attributes.join('+'));
  }
  return parts.toReversed().join(',');
}

function formatAttribute(attribute: DerReader): string {
  const oid = readOid(attribute.contents(attribute.read(tags.oid)));
  const value = attribute.read();
  attribute.finish();
  const name = shortNames.get(oid);
  const text = textOf(value.tag, attribute.contents(value));
  if (name === undefined || text === undefined) return `${oid}=#${attribute.whole(value).toString('hex')}`;
  return `${name}=${escapeValue(text)}`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(tag: number, contents: Buffer): string | undefined {
  if (tag === tags.utf8) return checkText(decodeUtf8(contents));
  if (tag === tags.printable || tag === tags.ia5) return checkText(contents.toString('latin1'));
  return undefined;
}

function decodeUtf8(contents: Buffer): string {
  try {
    return utf8.decode(contents);
  } catch {
    throw new DerError('a name is not UTF-8');
  }
}

function checkText(text: string): string {
  if (/[\p{Cc}\uFFFD]/u.test(text)) throw new DerError('a name has a control character');
  return text;
}

/** RFC 4514 2.4. */
function escapeValue(text: string): string {
  return text
    .replaceAll(/[,+"\\<>;]/g, String.raw`\$&`)
    .replace(/^[ #]/, String.raw`\$&`)
    .replace(/ $/, String.raw`\ `);
}
