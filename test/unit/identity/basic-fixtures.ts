import type { PasswordHash } from '../../../src/core/password-hash.ts';
import { Failure } from '../../../src/core/failure.ts';
import type { PasswordChecker } from '../../../src/core/ports.ts';
import type { Material } from '../../../src/policy/read-material.ts';
import type { BasicProviderSpec } from '../../../src/policy/provider-spec.ts';
import type { ProviderMaterial } from '../../../src/policy/providers/provider-material.ts';

export const basicPlace = { in: 'header', name: 'authorization', scheme: 'Basic' } as const;

export const basicSpec: BasicProviderSpec = {
  kind: 'IdentityProvider',
  type: 'Basic',
  namespace: 'shop',
  name: 'people',
  users: { namespace: 'shop', name: 'htpasswd', key: 'users' },
  from: [basicPlace],
};

/** The file as the provider finds it; undefined: there is no such Secret. */
export function htpasswd(text: string | undefined): ProviderMaterial {
  const texts = new Map<string, string>();
  if (text !== undefined) texts.set('Secret shop/htpasswd users', text);
  const secrets: readonly Material[] = [];
  return { texts, secrets };
}

/** Of `open sesame`, made by another program. */
export const bcryptHash = '$2y$04$t76bdPvPEtihK.7YHn6p4eSUthRX/k0RzYmHTt3m4y6103yig1Ed2';

/** The hash of a password that `fakePasswords` takes: a bcrypt hash in form, the password in its last letters. */
export function hashOf(password: string): string {
  return `$2b$10$${password.padStart(53, '.')}`;
}

export interface FakePasswords extends PasswordChecker {
  /** The passwords computed, in order. */
  readonly computed: string[];
  /** The kinds and texts of the hashes that they were compared with. */
  readonly against: string[];
  /** How many wait for `settle`. */
  waiting(): number;
  /** Lets the one that waits longest come to its end. */
  settleOne(how?: 'fails'): void;
  /** From now on every answer comes at once. */
  atOnce(): void;
}

/** Says of a hash of `hashOf` whether it is the password's, when it is told to. */
export function fakePasswords(): FakePasswords {
  const computed: string[] = [];
  const against: string[] = [];
  const open: ((how: 'fails' | undefined) => void)[] = [];
  let immediate = false;
  const isRight = (hash: PasswordHash, password: string): boolean =>
    hash.kind === 'bcrypt' && hash.text === hashOf(password);
  return {
    computed,
    against,
    waiting: () => open.length,
    settleOne: (how) => open.shift()?.(how),
    atOnce: () => {
      immediate = true;
      for (const end of open.splice(0)) end(undefined);
    },
    matches: (hash, password) => {
      computed.push(password);
      against.push(hash.kind === 'bcrypt' ? hash.text : hash.kind);
      if (immediate) return Promise.resolve(isRight(hash, password));
      const { promise, resolve, reject } = Promise.withResolvers<boolean>();
      open.push((how) =>
        how === 'fails' ? reject(new Failure('password_thread', 'it ended')) : resolve(isRight(hash, password)),
      );
      return promise;
    },
  };
}

export function basicToken(user: string, password: string): string {
  return Buffer.from(`${user}:${password}`).toString('base64');
}
