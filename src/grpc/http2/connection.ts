import { messageOf } from '../../core/failure.ts';
import type { TakeConnection } from '../../std/listen.ts';
import { copyBytes } from './copy-bytes.ts';
import { FrameReader } from './frame-reader.ts';
import {
  congestedBytes,
  drainGraceMs,
  lingerMs,
  maxUnsentBytes,
  maxReadInTurn,
  prefaceTimeoutMs,
  requestTimeoutMs,
  settingsTimeoutMs,
  stallTimeoutMs,
} from './limits.ts';
import { writeGoaway, writePing, writeSettings, writeWindowUpdate } from './output.ts';
import { ConnectionError, errorCode, maxStreamId, preface, type ErrorCode } from './protocol.ts';
import { Session, type Link, type SessionParts } from './session.ts';
import { firstWindowUpdate, ownSettings } from './settings.ts';

type Socket = Parameters<TakeConnection>[0];

export interface ConnectionParts<Request, Exchange> extends SessionParts<Request, Exchange> {
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** Why we ended the connection; nothing that the peer sent is in it. `isOurs`: the mistake is. */
  readonly onError: (why: string, isOurs: boolean) => void;
}

const drainPing = Buffer.from('draining', 'latin1');

/**
 * A socket and its session: the preface, turns, time-outs, GOAWAY. It ends with the socket, whatever happens. A class: one for each connection, and its state is
 * hidden.
 */
export class Http2Connection<Request, Exchange> implements Link {
  readonly #parts: ConnectionParts<Request, Exchange>;
  readonly #socket: Socket;
  readonly #session: Session<Request, Exchange>;
  readonly #reader = new FrameReader();
  readonly #beganAt: number;
  #prefaceBytes = 0;
  #isAcknowledged = false;
  #isInTurn = false;
  #isWoken = false;
  isCongested = false;
  /** Bytes since it last let others go first, and whether it is doing so. */
  #read = 0;
  #isLettingOthersGo = false;
  #unsent = 0;
  #unsentSince: number;
  /** When a drain began; then, once the last GOAWAY was sent, `isFinal`. */
  #drainingSince: number | undefined;
  #isFinal = false;
  /** When our last byte was written: nothing that comes is read any more. */
  #endedAt: number | undefined;

  constructor(socket: Socket, parts: ConnectionParts<Request, Exchange>) {
    const now = parts.now();
    this.#parts = parts;
    this.#socket = socket;
    this.#beganAt = now;
    this.#unsentSince = now;
    this.#session = new Session(parts, this, now);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.#onDrain());
    // Errors of a socket end it: its close is what counts.
    socket.on('error', () => {});
    socket.on('close', () => this.#session.cancelAll());
    writeSettings(parts.output, this.#session, ownSettings);
    writeWindowUpdate(parts.output, this.#session, 0, firstWindowUpdate);
    parts.output.flush();
  }

  /** Ends the connection so that no request is lost: what the peer sends before it has read of it is served (RFC 9113 section 6.8). */
  drain(): void {
    if (this.#drainingSince !== undefined || this.#endedAt !== undefined) return;
    this.#drainingSince = this.#parts.now();
    const { output } = this.#parts;
    writeGoaway(output, this.#session, maxStreamId, errorCode.noError);
    writePing(output, this.#session, 0, drainPing);
    this.wake();
  }

  /** Cuts it off, at once. */
  destroy(): void {
    this.#socket.destroy();
    this.#session.cancelAll();
  }

  tick(now: number): void {
    if (this.#endedAt !== undefined) {
      const patienceMs = this.#socket.writableLength > 0 ? stallTimeoutMs : lingerMs;
      if (now - this.#endedAt > patienceMs) this.destroy();
      return;
    }
    this.#guarded(() => {
      this.#session.tick(now);
      this.#checkTimes(now);
    });
    this.#afterTurn();
  }

  write(bytes: Buffer): boolean {
    if (this.#socket.destroyed || this.#socket.writableEnded) return true;
    // What waits behind other bytes is copied: kept as it is, a few of them would keep all that was written around them.
    const isWaiting = this.#socket.writableLength > 0;
    this.#socket.write(isWaiting ? copyBytes(bytes) : bytes);
    const unsent = this.#socket.writableLength;
    // What is cancelled by it hears of it when the socket is closed: here somebody is writing.
    if (unsent > maxUnsentBytes) this.#socket.destroy();
    else if (unsent > congestedBytes && !this.isCongested) {
      // Who does not read is not read from: what we would have to answer cannot grow.
      this.isCongested = true;
      this.#socket.pause();
    }
    return isWaiting || unsent === 0;
  }

  wake(): void {
    if (this.#isInTurn || this.#isWoken) return;
    this.#isWoken = true;
    // Other answers that are made in this turn of the event loop leave with it.
    process.nextTick(() => {
      this.#isWoken = false;
      this.#afterTurn();
    });
  }

  settingsAcknowledged(): void {
    this.#isAcknowledged = true;
  }

  pingAcknowledged(): void {
    if (this.#drainingSince !== undefined) this.#sayLast();
  }

  #onData(chunk: Buffer): void {
    // Thrown away.
    if (this.#endedAt !== undefined) return;
    this.#guarded(() => {
      const now = this.#parts.now();
      this.#session.beginTurn(now);
      const from = this.#prefaceBytes < preface.length ? this.#readPreface(chunk) : 0;
      if (from < chunk.length) this.#reader.read(chunk, from, now, this.#session);
    });
    this.#afterTurn();
    this.#read += chunk.length;
    if (this.#read >= maxReadInTurn) this.#letOthersGo();
  }

  /** Reads nothing more in this turn of the event loop: the system would hand over up to 32 chunks of one socket before it looks at another. */
  #letOthersGo(): void {
    this.#read = 0;
    if (this.#isLettingOthersGo || this.isCongested || this.#endedAt !== undefined) return;
    this.#isLettingOthersGo = true;
    this.#socket.pause();
    setImmediate(() => {
      this.#isLettingOthersGo = false;
      if (!this.isCongested) this.#socket.resume();
    });
  }

  #onDrain(): void {
    if (!this.isCongested) return;
    this.isCongested = false;
    const now = this.#parts.now();
    this.#guarded(() => this.#session.resume(now));
    this.#afterTurn();
    // Writing on may have been too much again.
    if (this.isCongested) return;
    this.#reader.waitAnew(now);
    if (!this.#isLettingOthersGo) this.#socket.resume();
  }

  /** Answers where the frames begin. */
  #readPreface(chunk: Buffer): number {
    const length = Math.min(chunk.length, preface.length - this.#prefaceBytes);
    if (preface.compare(chunk, 0, length, this.#prefaceBytes, this.#prefaceBytes + length) !== 0) {
      throw new ConnectionError(errorCode.protocolError, 'what came is not HTTP/2');
    }
    this.#prefaceBytes += length;
    return length;
  }

  /** Whatever goes wrong ends this connection and nothing else. */
  #guarded(work: () => void): void {
    this.#isInTurn = true;
    try {
      work();
    } catch (thrown) {
      if (thrown instanceof ConnectionError) this.#fail(thrown.code, thrown.message, false);
      else this.#fail(errorCode.internalError, messageOf(thrown), true);
    } finally {
      this.#isInTurn = false;
    }
  }

  #afterTurn(): void {
    if (this.#isFinal && this.#endedAt === undefined && this.#session.isIdle) this.#end();
    this.#parts.output.flush();
  }

  #fail(code: ErrorCode, why: string, isOurs: boolean): void {
    writeGoaway(this.#parts.output, this.#session, this.#session.lastId, code);
    this.#session.cancelAll();
    this.#end();
    this.#parts.onError(why, isOurs);
  }

  /** The second GOAWAY: what comes now was sent after the peer had read the first one. */
  #sayLast(): void {
    if (this.#isFinal) return;
    this.#isFinal = true;
    this.#session.refuse();
    writeGoaway(this.#parts.output, this.#session, this.#session.lastId, errorCode.noError);
  }

  /** Sends what is there and closes our side; what still comes is thrown away, so that our last bytes are not lost in a reset. */
  #end(): void {
    this.#endedAt = this.#parts.now();
    this.#parts.output.flush();
    this.#socket.end();
    this.#socket.resume();
  }

  #checkTimes(now: number): void {
    const age = now - this.#beganAt;
    if (!this.#session.hasSettings && age > prefaceTimeoutMs) {
      throw new ConnectionError(errorCode.settingsTimeout, 'no SETTINGS came in time');
    }
    if (!this.#isAcknowledged && age > settingsTimeoutMs) {
      throw new ConnectionError(errorCode.settingsTimeout, 'our SETTINGS were not acknowledged in time');
    }
    // While nothing is read, the rest of a frame cannot come.
    if (!this.isCongested && now - (this.#reader.waitingSince ?? now) > requestTimeoutMs) {
      throw new ConnectionError(errorCode.enhanceYourCalm, 'a frame was not whole in time');
    }
    if (this.#drainingSince !== undefined && now - this.#drainingSince > drainGraceMs) this.#sayLast();
    const unsent = this.#socket.writableLength;
    if (unsent === 0 || unsent < this.#unsent) this.#unsentSince = now;
    else if (now - this.#unsentSince > stallTimeoutMs) this.destroy();
    this.#unsent = unsent;
  }
}
