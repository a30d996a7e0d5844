import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Revocation, RevocationListHandle, RevocationListReading } from '../core/revocation.ts';
import { readRevocationList, sayProblems } from '../policy/revocations/read-revocation-list.ts';
import type { SpecName } from '../policy/spec-name.ts';
import type { Steps } from '../std/steps.ts';
import { memberObject } from './api-object.ts';
import { materialCollection } from './collection.ts';
import { boundsOfCut } from './object-bounds.ts';
import { createReflector, type ReflectorPorts, type ReflectorState } from './reflector.ts';

export interface RevocationsMap {
  /** Resolves when the server said for the first time what there is. */
  readonly answered: Promise<void>;
  state(): ReflectorState;
  close(): void;
}

const lookMs = 1000;

/**
 * Follows the ConfigMap that lists revocations: each of its values is a part of the list. A map that is not there cannot be read: an empty list is
 * an empty map. While the server does not answer, what was read last stays.
 */
export function followRevocationsMap(ref: SpecName, list: RevocationListHandle, ports: ReflectorPorts): RevocationsMap {
  let data: ReadonlyMap<string, string> | undefined;
  let said: string | undefined;
  let cancel = (): void => undefined;
  const tell = (why: string): void => {
    if (why !== said) list.fail(why);
    said = why;
  };
  const reflector = createReflector({
    collection: materialCollection({ kind: 'ConfigMap', ...ref }),
    // Of a map of which not all is known, nobody knows whom it revokes.
    convert: (object) => (boundsOfCut(object) === undefined ? textsOf(object) : new Map([['data', '[']])),
    onChange: ({ removed, changed }) => {
      if (removed.length > 0) data = undefined;
      for (const texts of changed) data = texts;
      if (data !== undefined) void list.take(readParts(data));
    },
    ports,
  });
  const look = (): void => {
    const { isSynced, failure } = reflector.state();
    if (failure !== undefined) tell(failure);
    else if (isSynced && data === undefined) tell(`the ConfigMap ${ref.namespace}/${ref.name} does not exist`);
    else if (isSynced) {
      said = undefined;
      list.confirm();
    }
    cancel = ports.timers.after(lookMs, look);
  };
  look();
  return {
    answered: reflector.answered,
    state: () => reflector.state(),
    close: () => {
      cancel();
      reflector.close();
    },
  };
}

function* readParts(data: ReadonlyMap<string, string>): Steps<RevocationListReading> {
  const entries: Revocation[] = [];
  const problems: string[] = [];
  for (const [key, text] of data) {
    const read = yield* readRevocationList(text);
    for (const entry of read.entries) entries.push(entry);
    for (const problem of read.problems) problems.push(`${key}: ${problem}`);
  }
  return { entries, problem: sayProblems(problems) };
}

/** What is no text is a part that cannot be read. */
function textsOf(object: JsonObject): ReadonlyMap<string, string> {
  const data = memberObject(object, 'data');
  const texts = new Map(Object.entries(data).map(([key, value]) => [key, typeof value === 'string' ? value : '[']));
  if (isJsonObject(object['binaryData'])) for (const key of Object.keys(object['binaryData'])) texts.set(key, '[');
  return texts;
}
