import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The port that the issuer of `examples/quickstart/identity-provider.yaml` names. */
export const quickstartIssuerPort = 18_080;
export const quickstartAudience = 'orders';

const exampleFolder = fileURLToPath(new URL('../../examples/quickstart', import.meta.url));
const exampleIssuer = `http://127.0.0.1:${quickstartIssuerPort}/demo`;

export interface QuickstartFolder {
  readonly path: string;
  /** Removes what was made; the example itself is never touched. */
  close(): Promise<void>;
}

/** The folder of the example's policies for the issuer: the example itself, or a copy where its port was taken by somebody else. */
export async function openQuickstartFolder(issuer: string): Promise<QuickstartFolder> {
  if (issuer === exampleIssuer) return { path: exampleFolder, close: async () => {} };
  const copy = await mkdtemp(join(tmpdir(), 'portcullis-quickstart-'));
  await cp(exampleFolder, copy, { recursive: true });
  const file = join(copy, 'identity-provider.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll(exampleIssuer, issuer));
  return { path: copy, close: () => rm(copy, { recursive: true, force: true }) };
}
