import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { partsAreRequired } from '../../tools/parts.ts';
import { istioApiPart, istioCrds, istioMeshConfig } from '../../tools/parts/istio-api.ts';

const folder = await istioApiPart.find(process.env);

if (folder === undefined && partsAreRequired(process.env)) {
  throw new Error(
    `CI=true and there are no ${istioApiPart.name}: \`node test/tools/run.ts parts\` brings them and says why where it cannot.`,
  );
}

/** Istio's own definitions, as text. */
export interface IstioDefinitions {
  /** The CRDs, YAML. */
  readonly crds: () => Promise<string>;
  /** The fields of a message of the mesh configuration, by name as YAML has it, with their types; throws where there is no such message. */
  readonly fieldsOf: (message: string) => Promise<ReadonlyMap<string, string>>;
}

/** Undefined where they are not there: then a suite has nothing to hold the examples against. */
export const istioDefinitions: IstioDefinitions | undefined =
  folder === undefined
    ? undefined
    : {
        crds: () => readFile(join(folder, istioCrds), 'utf8'),
        fieldsOf: async (message) => fieldsIn(await readFile(join(folder, istioMeshConfig), 'utf8'), message),
      };

/** Messages within the message are left out, with what is in them. */
function fieldsIn(proto: string, message: string): ReadonlyMap<string, string> {
  const lines = proto.split('\n');
  const start = lines.findIndex((line) => line.trim() === `message ${message} {`);
  if (start < 0) throw new Error(`there is no message ${message}`);
  const fields = new Map<string, string>();
  let depth = 1;
  for (const line of lines.slice(start + 1)) {
    const code = line.replace(/\/\/.*$/u, '');
    const [, type, name] = /^\s*(?:repeated\s+)?([\w.]+)\s+(\w+)\s*=\s*\d+/u.exec(code) ?? [];
    // A oneof is one level deeper and its fields are the message's.
    if (depth <= 2 && type !== undefined && name !== undefined) fields.set(toCamelCase(name), type);
    depth += code.split('{').length - code.split('}').length;
    if (depth === 0) return fields;
  }
  throw new Error(`the message ${message} does not end`);
}

function toCamelCase(name: string): string {
  return name.replaceAll(/_(\w)/gu, (_, letter: string) => letter.toUpperCase());
}
