import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../../src/core/json.ts';
import { runCommand } from '../../../../src/dev/run-command.ts';
import { objectAt, objectsAt, textAt } from '../json-at.ts';

/** What Envoy Gateway makes of the documents. */
export interface Translation {
  /** The configuration dump of the Envoys of one Gateway. */
  readonly xds: JsonObject;
  /** `SecurityPolicy shop/portcullis Accepted=True`, one line a condition, sorted. */
  readonly conditions: readonly string[];
}

/** Runs `egctl x translate`; throws with what it says where it refuses a document. `gateway` is NAMESPACE/NAME. */
export async function translate(egctl: string, documents: readonly string[], gateway: string): Promise<Translation> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-egctl-'));
  try {
    const file = join(folder, 'in.yaml');
    await writeFile(file, documents.join('\n---\n'));
    const kinds = ['--from', 'gateway-api', '--to', 'xds,gateway-api', '--type', 'all', '--add-missing-resources'];
    const args = ['x', 'translate', ...kinds, '--file', file, '--output', 'json'];
    const { code, output } = await runCommand(egctl, args, { timeoutMs: 60_000, folder });
    if (code !== 0) throw new Error(`egctl refuses: ${output.trim()}`);
    const parsed: JsonValue = JSON.parse(output.slice(output.indexOf('{')));
    return { xds: objectAt(parsed, 'xds', gateway), conditions: conditionsOf(parsed) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function conditionsOf(translated: JsonValue): readonly string[] {
  if (!isJsonObject(translated)) return [];
  const lines = Object.values(translated)
    .flatMap((documents) => (Array.isArray(documents) ? documents.filter((item) => isJsonObject(item)) : []))
    .flatMap((document) => {
      const subject = [
        textAt(document, 'kind'),
        `${textAt(document, 'metadata', 'namespace')}/${textAt(document, 'metadata', 'name')}`,
      ].join(' ');
      const holders = [...objectsAt(document, 'status', 'parents'), ...objectsAt(document, 'status', 'ancestors')];
      return holders
        .flatMap((holder) => objectsAt(holder, 'conditions'))
        .map((condition) => `${subject} ${textAt(condition, 'type')}=${textAt(condition, 'status')}`);
    });
  return [...new Set(lines)].toSorted();
}
