import { isDeepStrictEqual } from 'node:util';
import type { Clock, Random } from '../../../src/core/ports.ts';
import type { AuthorDocument } from '../../../src/policy/spec.ts';
import { createBytesClient, decodeAnswer, type CheckAnswer, type TransportName } from '../check-over-grpc.ts';
import type { DecisionStand, StandOptions } from '../decision-stand.ts';
import { loadProgram, type Caches, type Program } from './load-program.ts';

/** What a proxy and an operator see of one check, whole: nothing of it is left out, for clocks, ids and chance are handed in. */
export interface Seen {
  /** Of the call; `OK` or what is wrong. */
  readonly status: string;
  readonly response: string;
  readonly logged: readonly string[];
}

export interface Way {
  readonly name: string;
  readonly stand: DecisionStand;
  /** How often something remembered answered: a token or a password. */
  hits(): number;
  /** How many fetches of keys have ended. */
  fetches(): number;
  ask(message: Uint8Array): Promise<Seen>;
  /** Twice at the same time: what is seen, in an order of its own. */
  askTwice(message: Uint8Array): Promise<readonly Seen[]>;
  close(): Promise<void>;
}

/** The same engine four times, each behind a port of its own: with and without caches, on both transports. */
export interface FourWays {
  readonly ways: readonly Way[];
  /** The same check on each; throws where what is seen is not the same on all. Gives what all saw. */
  ask(message: Uint8Array, id: string): Promise<Seen>;
  /** As `ask`, twice at the same time. */
  askTwice(message: Uint8Array, id: string): Promise<readonly Seen[]>;
  /** Does the same to each. */
  each(action: (stand: DecisionStand) => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

export type Programs = Readonly<Record<Caches, Program>>;

export async function loadPrograms(): Promise<Programs> {
  return { off: await loadProgram('off'), on: await loadProgram('on') };
}

/** The first is what the others are held against. */
const combinations = [
  ['off', 'native'],
  ['off', 'grpc-js'],
  ['on', 'native'],
  ['on', 'grpc-js'],
] as const satisfies readonly (readonly [Caches, TransportName])[];

/** `optionsOf`: of each way's own stand, but for its chance and its events. */
export async function createFourWays(
  programs: Programs,
  documents: readonly AuthorDocument[],
  optionsOf: (caches: Caches, transport: TransportName) => StandOptions,
): Promise<FourWays> {
  const current = { id: 'begin' };
  const ways: Way[] = [];
  for (const [caches, transport] of combinations) {
    const random: Random = { id: () => current.id, fraction: () => 0.5 };
    ways.push(
      await createWay(programs[caches], documents, {
        caches,
        transport,
        random,
        options: optionsOf(caches, transport),
      }),
    );
  }
  return {
    ways,
    ask: async (message, id) => {
      current.id = id;
      return sameOfAll(id, ways, await Promise.all(ways.map((way) => way.ask(message))));
    },
    askTwice: async (message, id) => {
      current.id = id;
      return sameOfAll(id, ways, await Promise.all(ways.map((way) => way.askTwice(message))));
    },
    each: async (action) => {
      for (const { stand } of ways) await action(stand);
    },
    close: async () => {
      for (const way of ways) await way.close();
    },
  };
}

/** Throws where what the ways saw is not the same. */
function sameOfAll<T>(id: string, ways: readonly Way[], all: readonly T[]): T {
  const [first] = all;
  if (first === undefined) throw new Error('there is no way');
  const other = all.findIndex((seen) => !isDeepStrictEqual(seen, first));
  if (other < 0) return first;
  const tell = (index: number): string => `${ways[index]?.name ?? ''}: ${inWords(all[index])}`;
  throw new Error(`${id} is not answered alike\n${tell(0)}\n${tell(other)}`);
}

interface WayOptions {
  readonly options: StandOptions;
  readonly caches: Caches;
  readonly transport: TransportName;
  readonly random: Random;
}

async function createWay(
  program: Program,
  documents: readonly AuthorDocument[],
  { caches, transport, random, options }: WayOptions,
): Promise<Way> {
  let hits = 0;
  let fetches = 0;
  const events = {
    tokenCache: (result: string) => void (hits += Number(result === 'hit')),
    keyFetch: () => void fetches++,
    introspection: () => undefined,
    passwordCheck: (result: string) => void (hits += Number(result === 'remembered')),
    expressionFailed: () => undefined,
  };
  const stand = await program.createDecisionStand(documents, {
    ...options,
    ports: { random, events, ...options.ports },
  });
  const clock: Clock = options.ports?.clock ?? stand.clock;
  const lines: string[] = [];
  const destination = { append: (line: Uint8Array) => void lines.push(Buffer.from(line).toString()) };
  const decisions = program.createDecisionLog({ destination, clock, which: 'all', sample: 1, random });
  const server = await program.listenOverGrpc(stand, transport, { clock, decisions });
  const client = createBytesClient(server.address);
  const send = (message: Uint8Array): Promise<Omit<Seen, 'logged'>> =>
    client.send(message).then(
      (bytes) => ({ status: 'OK', response: bytes.toString('hex') }),
      (error: unknown) => ({ status: String(error), response: '' }),
    );
  return {
    name: `caches ${caches}, ${transport}`,
    stand,
    hits: () => hits,
    fetches: () => fetches,
    ask: async (message) => ({ ...(await send(message)), logged: takeLines(lines, 1) }),
    askTwice: async (message) => {
      const answers = await Promise.all([send(message), send(message)]);
      const logged = takeLines(lines, 2).sort();
      return answers
        .sort((a, b) => (a.response < b.response ? -1 : 1))
        .map((answer, index) => ({ ...answer, logged: logged.slice(index, index + 1) }));
    },
    close: async () => {
      client.close();
      await server.close();
      stand.close();
    },
  };
}

/** What was logged since, which has to be a line for each answer: nothing is like nothing. */
function takeLines(lines: string[], answers: number): string[] {
  if (lines.length !== answers) throw new Error(`${lines.length} lines of the decision log for ${answers} answers`);
  return lines.splice(0);
}

export function answerOf({ response }: Seen): CheckAnswer {
  return decodeAnswer(Buffer.from(response, 'hex'));
}

/** With the answers decoded beside their bytes. */
function inWords(seen: unknown): string {
  const decoded = (Array.isArray(seen) ? seen : [seen]).map((one: Seen) => answerOf(one));
  return `${JSON.stringify(decoded)}\n${JSON.stringify(seen, undefined, 1)}`;
}
