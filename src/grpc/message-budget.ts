/** A message that is not whole yet, and may never be. */
export interface UnfinishedMessage {
  /** Ends its call, and gives back what it holds. */
  giveUp(): void;
}

/**
 * How many bytes of messages that are not answered yet may be held, on a connection or on all of them. Flow control cannot bound them: messages that come side by
 * side would wait for one another for ever.
 */
export interface MessageBudget {
  /** False, and nothing is taken, where there is no room for that message. */
  take(bytes: number, message: UnfinishedMessage): boolean;
  give(bytes: number): void;
  /** The message is whole, or is given up: it is not taken from any more. */
  finished(message: UnfinishedMessage): void;
}

/** On one connection and on all together: so many of the longest messages, and at least so many bytes. */
const perConnection = { messages: 8, bytes: 64 * 1024 * 1024 } as const;
const inAll = { messages: 32, bytes: 256 * 1024 * 1024 } as const;
/** What a connection may hold however much the others do, bytes: a check with a usual body. */
const share = 256 * 1024;

interface Connection {
  /** Bytes. */
  held: number;
}

/**
 * A budget for all connections of a server; what it makes is for one of them, and takes from both. Where all is taken, the messages that have been waited for longest
 * make room: a proxy has a message whole before it sends it, so those of who behaves are the youngest.
 */
export function createMessageBudgets(maxMessageBytes: number): () => MessageBudget {
  const most = Math.max(perConnection.messages * maxMessageBytes, perConnection.bytes);
  /** Below zero by what connections have of their share. */
  let leftInAll = Math.max(inAll.messages * maxMessageBytes, inAll.bytes);
  /** In the order in which they began, with the connection of each. */
  const unfinished = new Map<UnfinishedMessage, Connection>();

  function makeRoom(bytes: number, asking: UnfinishedMessage): void {
    for (const [message, { held }] of unfinished) {
      if (bytes <= leftInAll) return;
      if (message !== asking && held > share) message.giveUp();
    }
  }

  return () => {
    const connection: Connection = { held: 0 };
    return {
      take(bytes, message) {
        const held = connection.held + bytes;
        if (held > most) return false;
        if (bytes > leftInAll && held > share) {
          makeRoom(bytes, message);
          if (bytes > leftInAll) return false;
        }
        if (!unfinished.has(message)) unfinished.set(message, connection);
        // Making room may have taken of our own.
        connection.held += bytes;
        leftInAll -= bytes;
        return true;
      },
      give(bytes) {
        connection.held -= bytes;
        leftInAll += bytes;
      },
      finished: (message) => void unfinished.delete(message),
    };
  };
}
