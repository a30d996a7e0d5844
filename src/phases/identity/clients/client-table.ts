import type { Material } from '../../../policy/read-material.ts';
import { runAtOnce, type Steps } from '../../../std/steps.ts';
import type { ClientEntry, Held } from './client-entry.ts';
import { describeRefused } from './describe-refused.ts';

/** The clients of a provider, one a Secret. */
export interface ClientTable<Client> {
  get(key: string): Client | undefined;
  readonly size: number;
  /** Which Secrets are refused and why; undefined where none is. Holds nothing of their data but names of clients. */
  readonly problem: string | undefined;
  /**
   * Reads these; from the call of what it gives on they are the clients, and no others. A Secret that is known is not read again, and what is in
   * force is not built anew, so that one of thousands may change often. One at a time.
   */
  renew(secrets: readonly Material[]): Steps<() => void>;
}

interface Clients<Client> {
  /** By the names of the Secrets. */
  readonly entries: ReadonlyMap<string, Held<Client>>;
  /** Those that are let in, by their keys. */
  readonly usable: ReadonlyMap<string, Extract<Held<Client>, { readonly client: Client }>>;
  /**
   * The others that have a key, by it. A key that two Secrets have, be one of them refused, is nobody's: who should say whose it is, and which has
   * to be deleted to end it?
   */
  readonly contested: ReadonlyMap<string, readonly Held<Client>[]>;
}

interface OpenClients<Client> extends Clients<Client> {
  readonly entries: Map<string, Held<Client>>;
  readonly usable: Map<string, Extract<Held<Client>, { readonly client: Client }>>;
  readonly contested: Map<string, readonly Held<Client>[]>;
}

/** What becomes of names of Secrets, and who has the keys then that they are about. */
interface Renewal<Client> {
  /** Undefined: it is gone. */
  readonly entries: ReadonlyMap<string, Held<Client> | undefined>;
  readonly holders: ReadonlyMap<string, readonly Held<Client>[]>;
}

/** More than these are put into a copy beforehand: what is done in one moment must be little, for hundreds of providers too. */
const fewAtOnce = 16;

/** `twice` says of two Secrets with one key what is wrong, as a sentence without its subject and end. */
export function createClientTable<Client>(
  read: (secret: Material) => ClientEntry<Client>,
  twice: string,
): ClientTable<Client> {
  let clients: OpenClients<Client> = { entries: new Map(), usable: new Map(), contested: new Map() };
  let refused: readonly Held<Client>[] = [];
  let problem: string | undefined;
  const hold = (secret: Material): Held<Client> => {
    if (secret.isLeaving) return { secret, key: undefined, why: 'it is being deleted' };
    const entry = read(secret);
    // One that is refused as a whole goes on holding its key, which is nobody's.
    return secret.refused === undefined ? { ...entry, secret } : { secret, key: entry.key, why: secret.refused };
  };
  return {
    get: (key) => clients.usable.get(key)?.client,
    get size() {
      return clients.usable.size;
    },
    get problem() {
      return problem;
    },
    *renew(secrets) {
      const entries = yield* findChanges(secrets, clients.entries, hold);
      const renewal = { entries, holders: yield* findHolders(entries, clients) };
      yield;
      const nextRefused = changeRefused(refused, renewal, clients.entries);
      const nextProblem = describeRefused(nextRefused, sharedAfter(renewal, clients), twice);
      const isLarge = entries.size > fewAtOnce;
      const copy = isLarge ? copyOf(clients) : undefined;
      yield;
      if (copy !== undefined) yield* putIn(copy, renewal);
      return () => {
        if (copy === undefined) runAtOnce(putIn(clients, renewal));
        else clients = copy;
        refused = nextRefused;
        problem = nextProblem;
      };
    },
  };
}

/** The Secrets that are new, others or gone, by name. */
function* findChanges<Client>(
  secrets: readonly Material[],
  known: Clients<Client>['entries'],
  hold: (secret: Material) => Held<Client>,
): Steps<Map<string, Held<Client> | undefined>> {
  const changes = new Map<string, Held<Client> | undefined>();
  let stay = 0;
  for (const secret of secrets) {
    const before = known.get(secret.name);
    if (before !== undefined) stay += 1;
    if (before?.secret === secret) continue;
    changes.set(secret.name, hold(secret));
    yield;
  }
  if (stay === known.size) return changes;
  const present = new Set(secrets.map(({ name }) => name));
  for (const name of known.keys()) if (!present.has(name)) changes.set(name, undefined);
  return changes;
}

/** Who has each key that the changes are about, after them, by the names of the Secrets. */
function* findHolders<Client>(
  changes: Renewal<Client>['entries'],
  { entries, usable, contested }: Clients<Client>,
): Steps<Map<string, readonly Held<Client>[]>> {
  const holders = new Map<string, readonly Held<Client>[]>();
  const holdersOf = (key: string): readonly Held<Client>[] => {
    const one = usable.get(key);
    return holders.get(key) ?? contested.get(key) ?? (one === undefined ? [] : [one]);
  };
  for (const name of changes.keys()) {
    const key = entries.get(name)?.key;
    if (key !== undefined)
      holders.set(
        key,
        holdersOf(key).filter(({ secret }) => secret.name !== name),
      );
    yield;
  }
  for (const entry of changes.values()) {
    if (entry?.key !== undefined) holders.set(entry.key, [...holdersOf(entry.key), entry].sort(byName));
    yield;
  }
  return holders;
}

function changeRefused<Client>(
  refused: readonly Held<Client>[],
  { entries }: Renewal<Client>,
  known: Clients<Client>['entries'],
): readonly Held<Client>[] {
  const isRefused = (entry: Held<Client> | undefined): entry is Held<Client> => entry !== undefined && 'why' in entry;
  const fresh = [...entries.values()].filter(isRefused);
  if (fresh.length === 0 && ![...entries.keys()].some((name) => isRefused(known.get(name)))) return refused;
  return [...refused.filter(({ secret }) => !entries.has(secret.name)), ...fresh].sort(byName);
}

/** The Secrets of each key that more than one has. */
function sharedAfter<Client>(
  { holders }: Renewal<Client>,
  { contested }: Clients<Client>,
): readonly (readonly Held<Client>[])[] {
  const others = [...contested].flatMap(([key, list]) => (holders.has(key) ? [] : [list]));
  return [...others, ...holders.values()].filter((list) => list.length > 1);
}

function copyOf<Client>({ entries, usable, contested }: Clients<Client>): OpenClients<Client> {
  return { entries: new Map(entries), usable: new Map(usable), contested: new Map(contested) };
}

function* putIn<Client>(
  { entries, usable, contested }: OpenClients<Client>,
  renewal: Renewal<Client>,
): Steps<undefined> {
  for (const [name, entry] of renewal.entries) {
    if (entry === undefined) entries.delete(name);
    else entries.set(name, entry);
    yield;
  }
  for (const [key, list] of renewal.holders) {
    const [only] = list;
    usable.delete(key);
    contested.delete(key);
    if (list.length === 1 && only !== undefined && 'client' in only) usable.set(key, only);
    else if (list.length > 0) contested.set(key, list);
    yield;
  }
  return undefined;
}

function byName(a: { readonly secret: Material }, b: { readonly secret: Material }): number {
  return a.secret.name < b.secret.name ? -1 : 1;
}
