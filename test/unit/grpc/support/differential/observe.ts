import { connectPeer, frame, headers, callFields, settingsAck, type Frame, type RawPeer } from '../raw-peer.ts';
import { preface } from '../../../../../src/grpc/http2/protocol.ts';
import { createBlockReader } from '../read-block.ts';
import { SentBytes } from './frames.ts';

/** What is sent in one write. */
export interface Write {
  readonly bytes: Buffer;
  /** What has come back is waited for, where a PING may be sent then. */
  readonly isWaitedFor: boolean;
}

/** What a stream has come to, as a peer sees it. */
export interface StreamEnd {
  /** HTTP's status and gRPC's, where there are any. */
  readonly status: string;
  /** Of messages, hexadecimal. */
  readonly bytes: string;
  /** `ended`: END_STREAM; a number: the code of its RST_STREAM; `open`: neither. */
  readonly end: 'ended' | 'open' | number;
}

export interface Observation {
  /** `alive`: it answers a PING and a new call; `stuck`: neither that nor the end; a number: the code of its GOAWAY. */
  readonly connection: 'alive' | 'stuck' | 'closed' | number;
  /** How many bytes were sent before the connection was seen to be over. */
  readonly sent: number;
  /** How often what was sent was waited for until then. */
  readonly waits: number;
  /** The codes of all RST_STREAM that came. */
  readonly resets: ReadonlySet<number>;
  /** How many SETTINGS were acknowledged. */
  readonly settings: number;
  /** PINGs that were answered, by what they hold. */
  readonly pings: readonly string[];
  readonly streams: ReadonlyMap<number, StreamEnd>;
}

const ownPing = 'fuzz';
const stuckMs = 3000;

/** Says it all on a connection of its own, and then whether it is still one. `patienceMs` is waited before the end, for what is not answered at once. */
export async function observe(address: string, writes: readonly Write[], patienceMs: number): Promise<Observation> {
  const peer = await connectPeer(address);
  const sent = new SentBytes();
  let pings = 0;
  const settle = async (): Promise<boolean> => {
    const payload = Buffer.from(ownPing.padEnd(8, String.fromCodePoint(65 + (pings++ % 26))));
    const before = peer.frames.length;
    peer.send(frame(6, 0, 0, payload));
    return comes(
      peer,
      (one, index) => index >= before && one.type === 6 && one.flags === 1 && one.payload.equals(payload),
    );
  };
  peer.send(preface, frame(4, 0, 0), settingsAck);
  await settle();
  let [bytesSent, waits] = [0, 0];
  for (const { bytes, isWaitedFor } of writes) {
    if (peer.isClosed) break;
    peer.send(bytes);
    sent.add(bytes);
    bytesSent += bytes.length;
    if (!isWaitedFor || !sent.isAtBoundary) await new Promise((resolve) => void setImmediate(resolve));
    else if (await settle()) waits++;
  }
  const ending = sent.ending();
  peer.send(ending);
  sent.add(ending);
  const isAlive = (await settle()) && (await answersCall(peer, sent.unusedStream));
  if (isAlive && patienceMs > 0) await new Promise((resolve) => void setTimeout(resolve, patienceMs));
  const isSettled = isAlive && (await settle());
  const end = isSettled ? 'alive' : await endOf(peer);
  peer.socket.resetAndDestroy();
  return { connection: end, sent: bytesSent, waits, ...readFrames(peer.frames, sent.unusedStream) };
}

/** A call to nobody: no window can hold its answer back. */
async function answersCall(peer: RawPeer, id: number | undefined): Promise<boolean> {
  if (id === undefined) return true;
  peer.send(headers(id, callFields({ ':path': '/nobody', ':authority': 'test' }), 1));
  return comes(peer, ({ type, stream, flags }) => stream === id && type === 1 && (flags & 1) !== 0);
}

/** False where the connection ends before, or nothing comes for long. */
function comes(peer: RawPeer, fits: (frame: Frame, index: number) => boolean): Promise<boolean> {
  return inTime(
    peer.find(fits).then(
      () => true,
      () => false,
    ),
    false,
  );
}

async function endOf(peer: RawPeer): Promise<Observation['connection']> {
  const end = await inTime<Awaited<RawPeer['end']> | 'stuck'>(peer.end, 'stuck');
  return typeof end === 'object' ? end.code : end;
}

async function inTime<Value>(value: Promise<Value>, otherwise: Value): Promise<Value> {
  let cancel: NodeJS.Timeout | undefined;
  const late = new Promise<Value>((resolve) => {
    cancel = setTimeout(() => resolve(otherwise), stuckMs);
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(cancel);
  }
}

function readFrames(
  frames: readonly Frame[],
  ownStream: number | undefined,
): Omit<Observation, 'connection' | 'sent' | 'waits'> {
  const read = createBlockReader();
  const streams = new Map<number, { fields: Map<string, string>; chunks: Buffer[]; end: StreamEnd['end'] }>();
  const of = (id: number) => {
    const known = streams.get(id) ?? { fields: new Map<string, string>(), chunks: [], end: 'open' as const };
    streams.set(id, known);
    return known;
  };
  let settings = 0;
  const pings: string[] = [];
  const resets = new Set<number>();
  for (const { type, flags, stream, payload } of frames) {
    if (type === 4 && flags === 1) settings++;
    else if (type === 6 && flags === 1 && !payload.toString('latin1').startsWith(ownPing))
      pings.push(payload.toString('hex'));
    else if (type === 0) of(stream).chunks.push(payload);
    else if (type === 1)
      for (const [name, value] of read((flags & 0x20) === 0 ? payload : payload.subarray(5)))
        of(stream).fields.set(name, value);
    else if (type === 3) {
      resets.add(payload.readUInt32BE(0));
      if (of(stream).end === 'open') of(stream).end = payload.readUInt32BE(0);
    }
    if ((type === 0 || type === 1) && (flags & 1) !== 0) of(stream).end = 'ended';
  }
  if (ownStream !== undefined) streams.delete(ownStream);
  return {
    settings,
    pings,
    resets,
    streams: new Map(
      [...streams].map(([id, { fields, chunks, end }]) => [
        id,
        {
          status: `${fields.get(':status') ?? ''} ${fields.get('grpc-status') ?? ''}`.trim(),
          bytes: Buffer.concat(chunks).toString('hex'),
          end,
        },
      ]),
    ),
  };
}
