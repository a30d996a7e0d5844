import type { PasswordChecker } from '../../src/core/ports.ts';
import { computeMatch } from '../../src/passwords/compute-match.ts';

/** Computes the hashes of passwords where it is called: for tests, which have nothing else to do. */
export const inlinePasswords: PasswordChecker = {
  matches: async (hash, password) => computeMatch(hash, password),
};
