import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import type { Clock } from '../core/ports.ts';
import type { ClusterAccess } from './cluster-access.ts';
import { createRotatedFile, type RotatedFile } from './rotated-file.ts';

/**
 * A kubeconfig whose current context says nothing but a server, its root and a token; undefined for one that says more or is wrong, which
 * is the client package's to judge. Rejects where the file cannot be read.
 */
export async function openPlainKubeconfig(path: string, clock: Clock): Promise<ClusterAccess | undefined> {
  const config = parseYaml(await readFile(path, 'utf8'));
  if (config === undefined) return undefined;
  const context = partOf(config, 'contexts', 'context', config['current-context']);
  if (context === undefined) return undefined;
  const cluster = partOf(config, 'clusters', 'cluster', context['cluster']);
  const user = partOf(config, 'users', 'user', context['user']);
  if (cluster === undefined || user === undefined) return undefined;
  const { server } = cluster;
  const { namespace } = context;
  const file = (name: string): RotatedFile => createRotatedFile(resolve(dirname(path), name), clock);
  const ca = readOne(cluster, 'certificate-authority-data', 'certificate-authority', file);
  const token = readOne(user, 'token', 'tokenFile', file);
  const saysMore =
    hasOthers(cluster, ['server', 'certificate-authority-data', 'certificate-authority']) ||
    hasOthers(user, ['token', 'tokenFile']) ||
    hasOthers(context, ['cluster', 'user', 'namespace']);
  if (saysMore || typeof server !== 'string' || ca === undefined || token === undefined) return undefined;
  const isInline = cluster['certificate-authority-data'] !== undefined;
  return {
    server,
    proxyUrl: undefined,
    namespace: typeof namespace === 'string' ? namespace : undefined,
    read: async () => {
      const root = await ca.read();
      return {
        headers: { authorization: `Bearer ${(await token.read()).trim()}` },
        tls: { ca: isInline ? Buffer.from(root, 'base64').toString('utf8') : root },
      };
    },
    renew: () => token.renew(),
  };
}

function parseYaml(text: string): JsonObject | undefined {
  try {
    const value: unknown = parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The `part` of the one element of the list that bears the name. */
function partOf(config: JsonObject, list: string, part: string, name: JsonValue | undefined): JsonObject | undefined {
  const elements: readonly JsonValue[] = Array.isArray(config[list]) ? config[list] : [];
  const found = elements.filter((element) => isJsonObject(element)).filter((element) => element['name'] === name);
  const [only, ...others] = found;
  const value = only?.[part];
  return others.length === 0 && isJsonObject(value) ? value : undefined;
}

function hasOthers(part: JsonObject, names: readonly string[]): boolean {
  return Object.keys(part).some((name) => !names.includes(name));
}

/** Reads the one of two members that is there, in place or out of the file that it names; undefined where there is none, or are both. */
function readOne(
  part: JsonObject,
  inPlace: string,
  asFile: string,
  file: (name: string) => RotatedFile,
): RotatedFile | undefined {
  const { [inPlace]: value, [asFile]: name } = part;
  if (typeof value === 'string' && value !== '' && name === undefined)
    return { read: async () => value, renew: () => undefined };
  return typeof name === 'string' && name !== '' && value === undefined ? file(name) : undefined;
}
