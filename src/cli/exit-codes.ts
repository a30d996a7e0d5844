/** What the process's exit code tells; the same for every command. */
export const exitCodes = {
  ok: { code: 0, meaning: 'all went well' },
  failed: { code: 1, meaning: 'it was done and the answer is no, or it could not be done' },
  usage: { code: 2, meaning: 'the command line or the configuration is wrong' },
  unreachable: { code: 3, meaning: 'a service to be asked could not be reached' },
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]['code'];
