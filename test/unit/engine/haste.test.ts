import { describe, expect, it } from 'vitest';
import { createHaste, hurryOf } from '../../../src/engine/haste.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';

const documentOf = (source: string, reference?: string): AuthorDocument => ({
  source,
  value: {},
  problems: [],
  placeOf: () => ({ source, line: undefined, column: undefined }),
  ...(reference === undefined ? {} : { reference }),
});

describe('who is in haste', () => {
  it('is whoever takes away what documents refer to, and the namespaces of policies; nobody is who only adds', () => {
    const secret = documentOf('Secret shop/a', 'Secret shop/a');
    const of = (removed: readonly AuthorDocument[], changed: readonly AuthorDocument[]) =>
      hurryOf({ removed, changed }, (source) => source === 'Secret shop/known');
    expect(of([secret], [])).toBe('all');
    expect(of([], [documentOf('Secret shop/known', 'Secret shop/known')])).toBe('all');
    expect(of([], [secret, documentOf('IdentityProvider shop/a')])).toBe(undefined);
    expect(of([documentOf('AccessPolicy shop/a')], [documentOf('AccessPolicy team-b/b')])).toEqual(
      new Set(['shop', 'team-b']),
    );
    expect(of([], [documentOf('ClusterAccessPolicy floor')])).toEqual(new Set(['']));
  });

  it('waits for its own providers and the operator’s, and for nobody else’s', () => {
    const haste = createHaste();
    const isOn = (): readonly boolean[] => ['shop', 'team-b', ''].map((namespace) => haste.isOn(namespace));
    let told = 0;
    const stop = haste.listen(() => (told += 1));
    const ends = [haste.begin(new Set(['shop'])), haste.begin(new Set(['shop']))];
    expect([isOn(), told]).toEqual([[false, true, false], 2]);
    const end = haste.begin('all');
    expect(isOn()).toEqual([true, true, true]);
    end();
    ends[0]?.();
    expect(isOn()).toEqual([false, true, false]);
    ends[1]?.();
    stop();
    haste.begin(new Set(['']));
    expect([isOn(), told]).toEqual([[true, true, false], 3]);
  });
});
