import { readdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openQuickstartFolder } from '../../../src/dev/quickstart-folder.ts';

const example = fileURLToPath(new URL('../../../examples/quickstart', import.meta.url));

describe('the folder of the quickstart', () => {
  it('is the example itself where its issuer has the port that it names', async () => {
    const folder = await openQuickstartFolder('http://127.0.0.1:18080/demo');
    expect(folder.path).toBe(example);
    await folder.close();
    expect(existsSync(join(example, 'policy.yaml'))).toBe(true);
  });

  it('is a copy with another issuer where the port was taken, and is removed', async () => {
    const folder = await openQuickstartFolder('http://127.0.0.1:40000/demo');
    const provider = await readFile(join(folder.path, 'identity-provider.yaml'), 'utf8');
    expect((await readdir(folder.path)).toSorted()).toEqual((await readdir(example)).toSorted());
    expect(provider).toContain('issuer: http://127.0.0.1:40000/demo ');
    expect(provider).not.toContain('18080');
    await folder.close();
    expect(existsSync(folder.path)).toBe(false);
  });
});
