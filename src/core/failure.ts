/** Something outside an author's and a caller's hands went wrong (I/O, a remote party, a bug). Thrown; text never decides control flow, `code` does. */
export class Failure extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'Failure';
    this.code = code;
  }
}

/** The message of whatever was thrown, for logs. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
