/** Where the documents come from, at work. */
export interface DocumentSource {
  /** Resolves once everything was read for the first time and what is good of it is in force. */
  readonly ready: Promise<void>;
  /** When it was last read without a failure, or confirmed by the API server, milliseconds since the epoch; undefined before the first time. */
  lastReadAt(): number | undefined;
  /** Why it cannot be read right now, in a line; undefined while it can. */
  failure(): string | undefined;
  close(): Promise<void>;
}
