import { readFileSync } from 'node:fs';

/** The documents of ours in a page, one text. */
export function documentsIn(page: string): string {
  return [...readFileSync(page, 'utf8').matchAll(/```yaml\n(.*?)```/gs)]
    .map(([, text = '']) => text)
    .filter((text) => text.startsWith('apiVersion: portcullis.dev/'))
    .join('---\n');
}
