import { connectionWindow, maxConcurrentStreams, maxHeaderListBytes, streamWindow } from './limits.ts';
import { ConnectionError, errorCode, maxWindow, settingId } from './protocol.ts';

/** What we say of ourselves. Everything else is as the standard has it: a table of 4096 bytes, frames of 16384. */
export const ownSettings = [
  [settingId.maxConcurrentStreams, maxConcurrentStreams],
  [settingId.initialWindowSize, streamWindow],
  [settingId.maxHeaderListSize, maxHeaderListBytes],
] as const;

/** The connection's window has no setting: a WINDOW_UPDATE by so much opens it (RFC 9113 section 6.9.2). */
export const firstWindowUpdate = connectionWindow - 65_535;

const entryBytes = 6;

/** What a peer says of itself that changes what we send; undefined for what it does not say. */
export interface PeerSettings {
  /** The last SETTINGS_INITIAL_WINDOW_SIZE. */
  readonly initialWindow: number | undefined;
  /** The least SETTINGS_HEADER_TABLE_SIZE: where there are several, that one has to be answered (RFC 7541 section 4.2). */
  readonly tableSize: number | undefined;
}

/**
 * Reads a frame's payload. Of all settings that are not in PeerSettings only the value is judged: what we send fits whatever a peer may say. Throws a
 * ConnectionError (section 6.5.2).
 */
export function readSettings(bytes: Buffer, start: number, end: number): PeerSettings {
  if ((end - start) % entryBytes !== 0) throw new ConnectionError(errorCode.frameSizeError, 'SETTINGS are cut off');
  let initialWindow: number | undefined;
  let tableSize: number | undefined;
  for (let at = start; at < end; at += entryBytes) {
    const value = bytes.readUInt32BE(at + 2);
    switch (bytes.readUInt16BE(at)) {
      case settingId.headerTableSize:
        tableSize = Math.min(tableSize ?? value, value);
        break;
      case settingId.enablePush:
        if (value > 1) throw new ConnectionError(errorCode.protocolError, 'SETTINGS_ENABLE_PUSH is wrong');
        break;
      case settingId.initialWindowSize:
        if (value > maxWindow) throw new ConnectionError(errorCode.flowControlError, 'an initial window is too large');
        initialWindow = value;
        break;
      case settingId.maxFrameSize:
        if (value < 16_384 || value > 0xff_ffff) {
          throw new ConnectionError(errorCode.protocolError, 'SETTINGS_MAX_FRAME_SIZE is wrong');
        }
        break;
      default:
    }
  }
  return { initialWindow, tableSize };
}
