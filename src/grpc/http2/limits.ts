/**
 * Every bound that a connection is held to, with its reason. What is above one ends the stream or the connection, never the process. A peer is a proxy
 * with thousands of checks on their way: what such a one does on a bad day must stay far below.
 */

/**
 * Streams at once on a connection. Envoy opens 1024 by default and may do so before it has seen our SETTINGS; what it opens above is refused, and a refused
 * check may be an allow. A call that waits costs some 700 bytes.
 */
export const maxConcurrentStreams = 4096;
/**
 * Streams at once on all connections, some 90 MB of them. While there are more, a connection may have so many alone: a proxy that behaves has fewer, and is served
 * on.
 */
export const maxStreamsInAll = 131_072;
export const maxStreamsWhenFull = 128;

/** What a stream may send before we have taken it, bytes: a check with a usual body needs no WINDOW_UPDATE. What comes in is taken at once. */
export const streamWindow = 1024 * 1024;
export const connectionWindow = 16 * 1024 * 1024;

/** Of a header list, counted as RFC 9113 section 6.5.2 does, bytes. A longer one is answered with 431; the next is read as ever. */
export const maxHeaderListBytes = 64 * 1024;
/** Of a header block as it is sent, bytes: a longer one is not even read, so it ends the connection. */
export const maxHeaderBlockBytes = 64 * 1024;
/** A block of the longest length needs four frames. Without a bound empty ones come for ever (CVE-2024-27316 and its kin). */
export const maxContinuations = 16;

/**
 * Frames that ask for work and bring no request (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, RST_STREAM, empty DATA, frames of unknown types) are paid for from
 * a purse: an answered request puts in, time puts in, and who has nothing left is sent away (CVE-2019-9512 to 9518). A full purse is about 10 ms of our time.
 */
export const purse = { most: 10_000, perSecond: 1000, perAnswer: 10 } as const;
/** A refused stream has cost a header block. SETTINGS that change the initial window change that of every stream. */
export const price = { frame: 1, settings: 10, streamWindow: 1 / 64, refusedStream: 2 } as const;

/**
 * Streams that the peer resets before their answer, so soon that nobody can have waited for it (CVE-2023-44487), and those that its mistakes make us reset
 * (CVE-2025-8671). An answer gives one back. A proxy whose own clients leave resets some; checks that time out are older. That resets make us
 * work on more than is allowed at once is prevented elsewhere: an answer that nobody waits for counts as a stream until it is there, and what goes on behind it
 * counts as its method says (PeerWork).
 */
export const rapidResets = { most: 1000, perSecond: 100, youngMs: 20 } as const;

/** Answers that the peer's windows keep here, bytes for a connection: above, the stream that asks for more is reset. */
export const maxPendingBytes = 8 * 1024 * 1024;
/** And for all connections. Peers that take their answers have none here. */
export const maxPendingBytesInAll = 256 * 1024 * 1024;
/**
 * What one connection is read from before others have their turn, bytes: one chunk of the system's. Of small checks it holds some 400, a few milliseconds of work.
 */
export const maxReadInTurn = 64 * 1024;

/** What was written and the peer does not read, bytes: above, we read nothing from it until it does. */
export const congestedBytes = 1024 * 1024;
/** And above this it is cut off. */
export const maxUnsentBytes = 16 * 1024 * 1024;

/**
 * Of the calls that wait, so many may keep their message where it lies, and with it what was read in the same turn (64 KiB at most). Messages of further ones are
 * copied.
 */
export const maxKeptViews = 64;

/** Time-outs, milliseconds. They are looked at four times a second. */
export const tickMs = 250;
/** Until the client's preface and SETTINGS are there. */
export const prefaceTimeoutMs = 10_000;
/** Until our SETTINGS are acknowledged. */
export const settingsTimeoutMs = 30_000;
/** For a request to be there whole, and for a frame and a header block: a proxy has it all before it asks. */
export const requestTimeoutMs = 60_000;
/** Without any progress of what is to be sent: the peer opens no window or reads nothing. */
export const stallTimeoutMs = 30_000;
/** In a drain, for the PING that says that the peer has read the first GOAWAY. */
export const drainGraceMs = 1000;
/** After our last byte, for the peer to close. */
export const lingerMs = 1000;

/** How many closed streams are remembered, to give a late frame the right name. */
export const rememberedClosed = 64;
/** And how many that we have reset: what was on its way for them is no mistake. As many as a proxy has at once. */
export const rememberedResets = 1024;
/** A longer header block is not compared with the last one of its connection: proxies send a few indexes. */
export const rememberedHeadBytes = 256;
