import type { Material } from '../../../policy/read-material.ts';

/** One client as its Secret says. `key` is what it is found by, also where the Secret is refused and it can be read. */
export type ClientEntry<Client> =
  { readonly key: string; readonly client: Client } | { readonly key: string | undefined; readonly why: string };

/** The clients of a provider, one a Secret. */
export interface ClientTable<Client> {
  get(key: string): Client | undefined;
  all(): Iterable<Client>;
  readonly size: number;
  /** Which Secrets are refused and why; undefined where none is. Holds nothing of their data but names of clients. */
  readonly problem: string | undefined;
  /** From now on exactly these. A Secret that is known is not read again, so that one of thousands may change often. */
  renew(secrets: readonly Material[]): void;
}

/** `twice` says of two Secrets with one key what is wrong, as a sentence without its subject and end. */
export function createClientTable<Client>(
  read: (secret: Material) => ClientEntry<Client>,
  twice: string,
): ClientTable<Client> {
  const known = new WeakMap<Material, ClientEntry<Client>>();
  let clients: ReadonlyMap<string, Client> = new Map();
  let problem: string | undefined;
  const readOnce = (secret: Material): ClientEntry<Client> => {
    const before = known.get(secret);
    if (before !== undefined) return before;
    const entry = secret.isLeaving ? { key: undefined, why: 'it is being deleted' } : read(secret);
    known.set(secret, entry);
    return entry;
  };
  return {
    get: (key) => clients.get(key),
    all: () => clients.values(),
    get size() {
      return clients.size;
    },
    get problem() {
      return problem;
    },
    renew: (secrets) => {
      const next = new Map<string, Client>();
      const holders = new Map<string, string>();
      const shared = new Map<string, string[]>();
      const refused: string[] = [];
      for (const secret of secrets) {
        const entry = readOnce(secret);
        if ('why' in entry) refused.push(`Secret ${secret.name}: ${entry.why}`);
        if (entry.key === undefined) continue;
        const other = holders.get(entry.key);
        if (other === undefined) holders.set(entry.key, secret.name);
        // Nobody could say whose it is, nor which Secret has to be deleted to end it: a refused one counts too.
        else shared.set(entry.key, [...(shared.get(entry.key) ?? [other]), secret.name]);
        if ('client' in entry) next.set(entry.key, entry.client);
      }
      for (const key of shared.keys()) next.delete(key);
      for (const names of shared.values()) refused.push(`Secrets ${some(names, ', ')} ${twice}`);
      clients = next;
      problem = refused.length === 0 ? undefined : some(refused, '; ');
    },
  };
}

/** A status has room for a few. */
const maxTold = 4;

function some(texts: readonly string[], separator: string): string {
  const more = texts.length - maxTold;
  return `${texts.slice(0, maxTold).join(separator)}${more > 0 ? `${separator}and ${more} more` : ''}`;
}
