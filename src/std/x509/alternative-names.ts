import { DerError, type DerReader } from './der.ts';

/** The names of a certificate beside its subject (RFC 5280 4.2.1.6) that are texts. Addresses and others are passed over. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
}

const kinds = { email: 0x81, dns: 0x82, uri: 0x86 } as const;
/** GeneralName has no other: names of other systems, X.400, directories and EDI, addresses, registered ids. */
const passedOver: ReadonlySet<number> = new Set([0xa0, 0xa3, 0xa4, 0xa5, 0x87, 0x88]);
/** What no name of another kind can be read as: a DNS name has no colon and no `=`, a URI begins with its scheme. */
const forms = {
  email: /^[\x21-\x7e]{1,320}$/,
  dns: /^[A-Za-z0-9._*-]{1,253}$/,
  uri: /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]{1,2048}$/,
} as const;

const maxNames = 100;

/** Throws a DerError for a text that is no name of its kind: one with a NUL, say, that others would read as a shorter one. */
export function readAlternativeNames(list: DerReader): AlternativeNames {
  const names: Record<keyof AlternativeNames, string[]> = { dns: [], uri: [], email: [] };
  let count = 0;
  while (!list.isAtEnd) {
    const name = list.read();
    if (++count > maxNames) throw new DerError('there are too many names');
    if (passedOver.has(name.tag)) continue;
    const kind = (['dns', 'uri', 'email'] as const).find((one) => kinds[one] === name.tag);
    const text = list.contents(name).toString('latin1');
    if (kind === undefined || !forms[kind].test(text)) throw new DerError('a name is none of its kind');
    names[kind].push(text);
  }
  return names;
}
