import type { Material } from '../../../policy/read-material.ts';

/** One client as its Secret says. `key` is what it is found by, also where the Secret is refused and it can be read. */
export type ClientEntry<Client> =
  { readonly key: string; readonly client: Client } | { readonly key: string | undefined; readonly why: string };

/** What a Secret says, and which. */
export type Held<Client> = ClientEntry<Client> & { readonly secret: Material };
