/**
 * How many bytes of messages that are not answered yet may be held, on a connection or on all of them. Flow control cannot bound them: messages that come side by
 * side would wait for one another for ever.
 */
export interface MessageBudget {
  /** False, and nothing is taken, where there is no room. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/** On one connection and on all together: so many of the longest messages, and at least so many bytes. */
const perConnection = { messages: 8, bytes: 64 * 1024 * 1024 } as const;
const inAll = { messages: 32, bytes: 256 * 1024 * 1024 } as const;

/** A budget for all connections of a server; what it makes is for one of them, and takes from both. */
export function createMessageBudgets(maxMessageBytes: number): () => MessageBudget {
  let leftInAll = Math.max(inAll.messages * maxMessageBytes, inAll.bytes);
  return () => {
    let left = Math.max(perConnection.messages * maxMessageBytes, perConnection.bytes);
    return {
      take(bytes) {
        if (bytes > left || bytes > leftInAll) return false;
        left -= bytes;
        leftInAll -= bytes;
        return true;
      },
      give(bytes) {
        left += bytes;
        leftInAll += bytes;
      },
    };
  };
}
