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

/**
 * The last SETTINGS_INITIAL_WINDOW_SIZE in a frame's payload; undefined where there is none. Of all others only the value is judged: what we send fits whatever a
 * peer may say. Throws a ConnectionError (section 6.5.2).
 */
export function readInitialWindow(bytes: Buffer, start: number, end: number): number | undefined {
  if ((end - start) % entryBytes !== 0) throw new ConnectionError(errorCode.frameSizeError, 'SETTINGS are cut off');
  let initialWindow: number | undefined;
  for (let at = start; at < end; at += entryBytes) {
    const value = bytes.readUInt32BE(at + 2);
    switch (bytes.readUInt16BE(at)) {
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
  return initialWindow;
}
