import { Failure } from '../core/failure.ts';

/** Names the flag by which an address is chosen, where nobody can listen on the one that is. */
export async function withSetting<T>(flag: string, listening: Promise<T>): Promise<T> {
  try {
    return await listening;
  } catch (thrown) {
    if (!(thrown instanceof Failure) || !thrown.code.startsWith('address_')) throw thrown;
    throw new Failure(thrown.code, `${thrown.message} ${flag} chooses another.`, { cause: thrown });
  }
}
