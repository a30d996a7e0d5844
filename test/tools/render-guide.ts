import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** They are written by hand but for the blocks below a comment that names a file, which hold that file. */
export const guides = ['docs/envoy.md', 'docs/istio.md', 'docs/envoy-gateway.md'];

/** The page with the files as they are now. */
export async function renderGuide(path: string): Promise<string> {
  const page = await readFile(join(root, path), 'utf8');
  const parts = page.split(/(<!-- deploy\/\S+ -->\n```yaml\n.*?```\n)/su).map(async (part) => {
    const [, file] = /^<!-- (deploy\/\S+) -->/u.exec(part) ?? [];
    if (file === undefined) return part;
    return `<!-- ${file} -->\n\`\`\`yaml\n${await readFile(join(root, file), 'utf8')}\`\`\`\n`;
  });
  return (await Promise.all(parts)).join('');
}
