import type { Material } from '../../../policy/read-material.ts';
import type { Steps } from '../../../std/steps.ts';

/** One client as its Secret says. `key` is what it is found by, also where the Secret is refused and it can be read. */
export type ClientEntry<Client> =
  { readonly key: string; readonly client: Client } | { readonly key: string | undefined; readonly why: string };

/** The clients of a provider, one a Secret. */
export interface ClientTable<Client> {
  get(key: string): Client | undefined;
  readonly size: number;
  /** Which Secrets are refused and why; undefined where none is. Holds nothing of their data but names of clients. */
  readonly problem: string | undefined;
  /**
   * Reads these; from the call of what it gives on they are the clients, and no others. A Secret that is known is not read again, so that one of
   * thousands may change often.
   */
  renew(secrets: readonly Material[]): Steps<() => void>;
}

/** `twice` says of two Secrets with one key what is wrong, as a sentence without its subject and end. */
export function createClientTable<Client>(
  read: (secret: Material) => ClientEntry<Client>,
  twice: string,
): ClientTable<Client> {
  const known = new WeakMap<Material, Held<Client>>();
  let clients: ReadonlyMap<string, Client> = new Map();
  let problem: string | undefined;
  const readOnce = (secret: Material): Held<Client> => {
    const before = known.get(secret);
    if (before !== undefined) return before;
    const entry = secret.isLeaving ? { key: undefined, why: 'it is being deleted' } : read(secret);
    const held = { ...entry, name: secret.name };
    known.set(secret, held);
    return held;
  };
  return {
    get: (key) => clients.get(key),
    get size() {
      return clients.size;
    },
    get problem() {
      return problem;
    },
    *renew(secrets) {
      const entries: Held<Client>[] = [];
      for (const secret of secrets) {
        if (!known.has(secret)) yield;
        entries.push(readOnce(secret));
      }
      yield;
      const settled = settle(entries);
      const refused = [
        ...settled.refused.map(({ name, why }) => `Secret ${name}: ${why}`),
        ...settled.shared.map((names) => `Secrets ${some(names, ', ')} ${twice}`),
      ];
      return () => {
        clients = settled.clients;
        problem = refused.length === 0 ? undefined : some(refused, '; ');
      };
    },
  };
}

/** An entry, and the name of its Secret. */
type Held<Client> = ClientEntry<Client> & { readonly name: string };

interface Settled<Client> {
  readonly clients: ReadonlyMap<string, Client>;
  readonly refused: readonly { readonly name: string; readonly why: string }[];
  /** The names of Secrets with one key. */
  readonly shared: readonly (readonly string[])[];
}

/** A key that two Secrets have, be one of them refused, is nobody's: who should say whose it is, and which has to be deleted to end it? */
function settle<Client>(entries: readonly Held<Client>[]): Settled<Client> {
  const clients = new Map<string, Client>();
  const refused: { readonly name: string; readonly why: string }[] = [];
  /** The names of those that have the key, where it may not be one alone. */
  const contested = new Map<string, string[]>();
  for (const entry of entries) {
    if ('why' in entry) {
      refused.push(entry);
      if (entry.key !== undefined) contested.set(entry.key, []);
    } else {
      if (clients.has(entry.key)) contested.set(entry.key, []);
      clients.set(entry.key, entry.client);
    }
  }
  if (contested.size === 0) return { clients, refused, shared: [] };
  for (const { key, name } of entries) if (key !== undefined) contested.get(key)?.push(name);
  for (const key of contested.keys()) clients.delete(key);
  return { clients, refused, shared: [...contested.values()].filter((names) => names.length > 1) };
}

/** A status has room for a few. */
const maxTold = 4;

function some(texts: readonly string[], separator: string): string {
  const more = texts.length - maxTold;
  return `${texts.slice(0, maxTold).join(separator)}${more > 0 ? `${separator}and ${more} more` : ''}`;
}
